import type { ASTNode } from '@marcbachmann/cel-js';
import { RouteFault } from './route-fault.ts';

/*
 * What a condition may cost. It runs for each message of the filter, between claiming and committing, and its author is
 * a tenant: so its cost is bounded by its text alone, whatever a device sends. Not there for that reason: `matches` (a
 * pattern can take exponential time), `split`, `join`, `map`, `filter` (results as large as their author likes), `exists`
 * and `all` inside each other or over anything but the metrics, whose number is limited, `extra` inside them, and
 * searching one text of a message for another one (the product of their lengths).
 */
export const conditionLimits = {
  /** Characters. */
  maxLength: 1_024,
  maxAstNodes: 128,
  maxDepth: 24,
  maxListElements: 64,
  /** Of what `exists` and its like evaluate for each metric. */
  maxPredicateNodes: 24,
  /** Where a condition asks for `extra` and the message has more of it, it fails. */
  maxExtraChars: 16_384,
} as const;

const functions = words('has size int uint double string bool dyn type timestamp duration');
const textMethods = words(
  'size startsWith endsWith contains lowerAscii upperAscii trim indexOf lastIndexOf substring',
);
const timeMethods = words(
  'getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds',
);
const macros = words('exists all exists_one');

/** Methods that compare what is looked for at each place of a text. */
const searches = words('contains indexOf lastIndexOf');
/** Of these a text has at most 128 characters. */
const shortTexts = words('msg_type device_id site_id status previous');

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/** @throws RouteFault with the position of what is not allowed */
export function checkBounds(ast: ASTNode): void {
  checkNode(ast);
  for (const child of childrenOf(ast)) checkBounds(child);
}

function checkNode(ast: ASTNode): void {
  if (ast.op === 'map') throw fault('A map cannot be written in a condition', ast);
  if (ast.op === 'call' && !functions.has(ast.args[0])) throw notThere(ast.args[0], ast);
  if (ast.op === 'rcall') checkMethod(ast.args[0], ast.args[1], ast.args[2], ast);
  if (ast.op === 'in' && !['list', 'id'].includes(ast.args[1].op))
    throw fault('`in` takes a list that is written out, metrics or extra', ast);
}

function checkMethod(name: string, receiver: ASTNode, args: readonly ASTNode[], ast: ASTNode): void {
  if (macros.has(name)) checkMacro(name, receiver, args, ast);
  else if (!textMethods.has(name) && !timeMethods.has(name)) throw notThere(name, ast);
  const [wanted] = args;
  if (searches.has(name) && wanted !== undefined && !isShort(wanted))
    throw fault(`What ${name} looks for is written out, or one of ${[...shortTexts].join(', ')}`, wanted);
  if (timeMethods.has(name) && args.length > 0)
    throw fault(`${name} takes no time zone here: it counts in UTC`, ast);
}

function isShort(ast: ASTNode): boolean {
  return ast.op === 'value' || (ast.op === 'id' && shortTexts.has(ast.args));
}

function checkMacro(name: string, receiver: ASTNode, args: readonly ASTNode[], ast: ASTNode): void {
  if (receiver.op !== 'id' || receiver.args !== 'metrics') throw fault(`${name} goes over metrics only`, ast);
  const nodes = args.flatMap(allNodes);
  const { maxPredicateNodes } = conditionLimits;
  if (nodes.length > maxPredicateNodes)
    throw fault(
      `What ${name} asks of each metric has ${nodes.length} parts, at most ${maxPredicateNodes} are allowed`,
      ast,
    );
  const extra = nodes.find((node) => node.op === 'id' && node.args === 'extra');
  if (extra !== undefined) throw fault(`${name} asks of metrics only: extra may be large`, extra);
  const inner = nodes.find((node) => node.op === 'rcall' && macros.has(node.args[0]));
  if (inner !== undefined) throw fault(`${name} holds no second one of its kind`, inner);
}

function notThere(name: string, ast: ASTNode): RouteFault {
  return fault(`There is no ${name} in a route's condition`, ast);
}

function fault(message: string, { start }: ASTNode): RouteFault {
  return new RouteFault('condition', message, start);
}

function allNodes(ast: ASTNode): ASTNode[] {
  return [ast, ...childrenOf(ast).flatMap(allNodes)];
}

/** The nodes right below a node. */
export function childrenOf(ast: ASTNode): ASTNode[] {
  if (ast.op === 'value' || ast.op === 'id') return [];
  return nodesIn(ast.args);
}

function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return isNode(args) ? [args] : [];
}

export function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}
