import type { ASTNode } from '@marcbachmann/cel-js';
import type { ConditionContext } from './condition-context.ts';

/**
 * The commonest parts of conditions: a metric compared with a number (`metrics.temp > 30`), `msg_type` with a text. Known
 * apart, so that they need not go through the library, and so that those of many routes can be looked at together.
 *
 * The test compares them with the library over all operators and kinds of values.
 */
export type PlainComparison =
  | { readonly of: 'metric'; readonly key: string; readonly op: NumberOp; readonly number: number }
  | { readonly of: 'msg_type'; readonly op: '==' | '!='; readonly text: string };

export type NumberOp = '>' | '>=' | '<' | '<=' | '==' | '!=';

/** Undefined: the part is another one. */
export function plainComparison(ast: ASTNode): PlainComparison | undefined {
  if (!isNumberOp(ast.op) || !Array.isArray(ast.args)) return undefined;
  const [left, right] = ast.args as readonly ASTNode[];
  if (left === undefined || right?.op !== 'value') return undefined;
  const literal = right.args;
  if (left.op === 'id' && left.args === 'msg_type' && typeof literal === 'string')
    return ast.op === '==' || ast.op === '!=' ? { of: 'msg_type', op: ast.op, text: literal } : undefined;
  const key = metricKey(left);
  const number = numberOf(literal);
  return key === undefined || number === undefined ? undefined : { of: 'metric', key, op: ast.op, number };
}

/** @returns what compares; its answer is undefined where the metric is no plain number, for the library */
export function comparing(plain: PlainComparison): (context: ConditionContext) => boolean | undefined {
  if (plain.of === 'msg_type') {
    const { op, text } = plain;
    return ({ msg_type }) => (msg_type === text) === (op === '==');
  }
  const { key, number } = plain;
  const compare = comparisons[plain.op];
  return ({ metrics }) => {
    const value = metrics[key];
    return typeof value === 'number' ? compare(value, number) : undefined;
  };
}

type Compare = (a: number, b: number) => boolean;

const comparisons: Readonly<Record<NumberOp, Compare>> = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

function isNumberOp(op: string): op is NumberOp {
  return Object.hasOwn(comparisons, op);
}

/** The key in `metrics.key` and `metrics["key"]`. */
export function metricKey(ast: ASTNode): string | undefined {
  if (ast.op !== '.' && ast.op !== '[]') return undefined;
  const [of, key] = ast.args;
  if (of.op !== 'id' || of.args !== 'metrics') return undefined;
  if (typeof key === 'string') return key;
  return key.op === 'value' && typeof key.args === 'string' ? key.args : undefined;
}

/** Doubles hold them exactly, so that a comparison of doubles is the comparison. */
function numberOf(literal: unknown): number | undefined {
  if (typeof literal === 'number') return literal;
  return typeof literal === 'bigint' && Number.isSafeInteger(Number(literal)) ? Number(literal) : undefined;
}
