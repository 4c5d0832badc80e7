import {
  type ASTNode,
  Environment,
  ParseError,
  type ParseResult,
  serialize,
  TypeError as TypeFault,
} from '@marcbachmann/cel-js';
import { checkBounds, childrenOf, conditionLimits, isNode } from './condition-bounds.ts';
import type { ConditionContext } from './condition-context.ts';
import { comparing, metricKey, type PlainComparison, plainComparison } from './plain-comparison.ts';
import { RouteFault } from './route-fault.ts';

/** `error`: a metric that is not there, a comparison of a text with a number. It counts as no match. */
export type ConditionResult = true | false | 'error';

export interface Condition {
  evaluate(context: ConditionContext): ConditionResult;
  /** Those of `seq`, `time`, `extra` that it asks for: what it does not need is not made. */
  readonly needs: ReadonlySet<string>;
  /** Joined by `&&`, with what else there is: where one is false, so is the condition. */
  readonly plain: readonly PlainComparison[];
  /** Nothing else there is. */
  readonly isPlain: boolean;
}

/**
 * @throws RouteFault with the position for what does not parse, is not of type bool, or could cost too much
 */
export type CompileCondition = (text: string) => Condition;

export function createConditionCompiler(): CompileCondition {
  const environment = createEnvironment();
  return (text) => {
    if (text.length > conditionLimits.maxLength)
      throw fault(
        `The condition has ${text.length} characters, at most ${conditionLimits.maxLength} are allowed`,
      );
    const program = parse(environment, text);
    const { ast } = program;
    checkBounds(ast);
    const parts: readonly Part[] = partsOf(environment, ast, text) ?? [{ run: program, metrics: [] }];
    const plain = parts.flatMap((part) => part.plain ?? []);
    return {
      evaluate: (context) => evaluate(parts, context),
      needs: neededBy(ast),
      plain,
      isPlain: plain.length === parts.length,
    };
  };
}

function createEnvironment(): Environment {
  const { maxAstNodes, maxDepth, maxListElements } = conditionLimits;
  return new Environment({
    limits: { maxAstNodes, maxDepth, maxListElements, maxMapEntries: 1, maxCallArguments: 3 },
  })
    .registerVariable('msg_type', 'string')
    .registerVariable('device_id', 'string')
    .registerVariable('site_id', 'string')
    .registerVariable('status', 'string')
    .registerVariable('previous', 'string')
    .registerVariable('seq', 'int')
    .registerVariable('time', 'google.protobuf.Timestamp')
    .registerVariable('metrics', 'map')
    .registerVariable('extra', 'map');
}

function parse(environment: Environment, text: string): ParseResult {
  try {
    const program = environment.parse(text);
    const { valid, type, error } = program.check();
    if (!valid) throw error ?? fault('The condition does not check');
    if (type !== 'bool' && type !== 'dyn')
      throw fault(`The condition is of type ${type}, and must be true or false`, 0);
    return program;
  } catch (error) {
    if (error instanceof ParseError || error instanceof TypeFault)
      throw fault(error.summary, error.range?.start ?? error.node?.pos);
    throw error;
  }
}

function fault(message: string, position?: number): RouteFault {
  return new RouteFault('condition', message, position);
}

/** `a && b && c` as its parts: a part that fails does not matter when another one is false, as CEL has it. */
function conjunctsOf(ast: ASTNode): ASTNode[] {
  return ast.op === '&&' ? ast.args.flatMap(conjunctsOf) : [ast];
}

interface Part {
  readonly run: (context: ConditionContext) => unknown;
  readonly plain?: PlainComparison | undefined;
  readonly compare?: ReturnType<typeof comparing> | undefined;
  /** Metrics without which it fails. Looked at first: to fail costs twenty times as much as to compare. */
  readonly metrics: readonly string[];
}

/**
 * Undefined where the parts cannot be had apart: the library evaluates what it has parsed, and neither the range of a node
 * nor its printed form is always the node (`!("a" in b)` loses a parenthesis, `1 - (2 - 3)` both). What comes of them is
 * compared.
 */
function partsOf(environment: Environment, ast: ASTNode, text: string): Part[] | undefined {
  const parts = conjunctsOf(ast).map((part) => compilePart(environment, part, text));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function compilePart(environment: Environment, ast: ASTNode, text: string): Part | undefined {
  const wanted = structureOf(ast);
  for (const candidate of [text.slice(ast.start, ast.end), serialize(ast)]) {
    try {
      const program = environment.parse(candidate);
      if (structureOf(program.ast) !== wanted) continue;
      const plain = plainComparison(ast);
      const compare = plain === undefined ? undefined : comparing(plain);
      return { run: program, plain, compare, metrics: isPlain(ast) ? metricsOf(ast) : [] };
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

function structureOf({ op, args }: ASTNode): string {
  return `(${op} ${argsText(args)})`;
}

/** Literals with their type: `1` and `1.0` are not the same. */
function argsText(args: unknown): string {
  if (Array.isArray(args)) return args.map(argsText).join(' ');
  if (isNode(args)) return structureOf(args);
  return `${typeof args}:${args instanceof Uint8Array ? [...args].join() : String(args)}`;
}

/** Evaluates everything in it, whatever the values: no `has`, no `||`, no `? :`, no macro. */
function isPlain(ast: ASTNode): boolean {
  return childrenOf(ast).every(isPlain) && !['||', '?:', '&&', 'call', 'rcall'].includes(ast.op);
}

function metricsOf(ast: ASTNode): string[] {
  const key = metricKey(ast);
  return key === undefined ? childrenOf(ast).flatMap(metricsOf) : [key];
}

function evaluate(parts: readonly Part[], context: ConditionContext): ConditionResult {
  let result: ConditionResult = true;
  for (const part of parts) {
    const value = evaluatePart(part, context);
    if (value === false) return false;
    if (value !== true) result = 'error';
  }
  return result;
}

function evaluatePart({ run, compare, metrics }: Part, context: ConditionContext): unknown {
  const quick = compare?.(context);
  if (quick !== undefined) return quick;
  for (const key of metrics) if (!Object.hasOwn(context.metrics, key)) return 'error';
  return attempt(run, context);
}

function attempt(run: Part['run'], context: ConditionContext): unknown {
  try {
    return run(context);
  } catch {
    // Whatever it is: it is about this route, and must not become a matter of the message or of the worker.
    return 'error';
  }
}

const madeOnDemand: readonly string[] = ['seq', 'time', 'extra'];

function neededBy(ast: ASTNode): ReadonlySet<string> {
  const names = new Set<string>();
  const collect = (node: ASTNode) => {
    if (node.op === 'id' && madeOnDemand.includes(node.args)) names.add(node.args);
    for (const child of childrenOf(node)) collect(child);
  };
  collect(ast);
  return names;
}
