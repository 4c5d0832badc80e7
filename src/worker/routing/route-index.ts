import type { ConditionContext } from '../../model/condition-context.ts';
import type { NumberOp, PlainComparison } from '../../model/plain-comparison.ts';
import type { RouteRule } from '../../model/route.ts';
import type { Condition } from '../../model/route-condition.ts';

export interface CompiledRoute {
  readonly rule: RouteRule;
  readonly condition: Condition | undefined;
}

/** What a filter and a condition say of one message or change of status. */
export interface Matches {
  /** By id. */
  readonly matched: readonly RouteRule[];
  /** Routes whose condition could not be evaluated: no match, and counted against the route. */
  readonly failed: readonly RouteRule[];
}

/** The routes of one topic, whose conditions are looked at together. */
export interface RouteIndex {
  /** @param context made only where a condition has more to ask than plain comparisons */
  match(metrics: Readonly<Record<string, unknown>>, context: () => ConditionContext): Matches;
}

const nothing: Matches = { matched: [], failed: [] };

/*
 * How a route stands; the highest counts, but for `no`, which stays. Where one comparison is false the condition is, whatever
 * the others hold, so a route that is out needs no look at the rest of its condition.
 */
const no = 0;
const yes = 1;
/** Of its comparisons one asks for a metric that is not there, and none is false. */
const fails = 2;
/** Only the condition itself can tell: a metric is no plain number, or it has other parts. */
const ask = 3;

/**
 * The conditions' comparisons by metric, each as the closed range of doubles for which it holds: a metric is looked up once
 * for all routes, and what is left of a comparison is two of numbers that lie side by side.
 *
 * @param routes by id, those whose filter matches
 * @param lastLevel their topic's: the `msg_type` of all that is matched
 */
export function createRouteIndex(routes: readonly CompiledRoute[], lastLevel: string): RouteIndex {
  const open = routes.filter(
    ({ condition }) => condition?.plain.every((part) => fits(part, lastLevel)) ?? true,
  );
  if (open.length === 0) return { match: () => nothing };
  const rules = open.map(({ rule }) => rule);
  const every: Matches = { matched: rules, failed: [] };
  const atFirst = Uint8Array.from(open, ({ condition }) => ((condition?.isPlain ?? true) ? yes : ask));
  const columns = columnsOf(open);
  if (columns.length === 0 && atFirst.every((state) => state === yes)) return { match: () => every };
  const states = new Uint8Array(open.length);
  return {
    match(metrics, context) {
      states.set(atFirst);
      for (const column of columns) compare(column, metrics, states);
      return collect(open, states, context);
    },
  };
}

function fits(part: PlainComparison, lastLevel: string): boolean {
  return part.of !== 'msg_type' || (part.text === lastLevel) === (part.op === '==');
}

/** What all routes ask of one metric. */
interface Column {
  readonly key: string;
  /** Per comparison: its route's place, and from where to where it holds. */
  readonly places: Uint32Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** Where it holds for all but one number. */
  readonly unequal: readonly { readonly place: number; readonly number: number }[];
}

function columnsOf(routes: readonly CompiledRoute[]): Column[] {
  const byKey = new Map<string, { place: number; op: NumberOp; number: number }[]>();
  for (const [place, { condition }] of routes.entries())
    for (const part of condition?.plain ?? []) {
      if (part.of !== 'metric') continue;
      const known = byKey.get(part.key) ?? [];
      known.push({ place, ...part });
      byKey.set(part.key, known);
    }
  return [...byKey].map(([key, comparisons]) => {
    const ranges = comparisons.filter(({ op }) => op !== '!=');
    return {
      key,
      places: Uint32Array.from(ranges, ({ place }) => place),
      from: Float64Array.from(ranges, (range) => rangeOf(range).from),
      to: Float64Array.from(ranges, (range) => rangeOf(range).to),
      unequal: comparisons.filter(({ op }) => op === '!='),
    };
  });
}

const { POSITIVE_INFINITY: most, NEGATIVE_INFINITY: least } = Number;

function rangeOf({ op, number }: { readonly op: NumberOp; readonly number: number }) {
  switch (op) {
    case '>':
      return number === most ? { from: most, to: least } : { from: nextUp(number), to: most };
    case '<':
      return number === least ? { from: most, to: least } : { from: least, to: -nextUp(-number) };
    case '>=':
      return { from: number, to: most };
    case '<=':
      return { from: least, to: number };
    default:
      return { from: number, to: number };
  }
}

/** The least double above one that is finite. */
function nextUp(value: number): number {
  const [bits = 0n] = new BigInt64Array(Float64Array.of(value).buffer);
  // Doubles of one sign are in the order of their bits. Below zero stand both zeros.
  const next = value === 0 ? 1n : value > 0 ? bits + 1n : bits - 1n;
  const [result = most] = new Float64Array(BigInt64Array.of(next).buffer);
  return result;
}

function compare(column: Column, metrics: Readonly<Record<string, unknown>>, states: Uint8Array): void {
  const { key, places, from, to, unequal } = column;
  const value = metrics[key];
  if (typeof value !== 'number') {
    raise(column, Object.hasOwn(metrics, key) ? ask : fails, states);
    return;
  }
  for (let index = 0; index < places.length; index += 1) {
    // What a typed array gives within its length is a number.
    if (value < (from[index] ?? least) || value > (to[index] ?? most)) states[places[index] ?? 0] = no;
  }
  for (const { place, number } of unequal) if (value === number) states[place] = no;
}

/** For those that ask for a metric which no comparison of numbers can tell of. */
function raise({ places, unequal }: Column, state: number, states: Uint8Array): void {
  const one = (place: number) => {
    const now = states[place] ?? no;
    if (now !== no && now < state) states[place] = state;
  };
  for (const place of places) one(place);
  for (const { place } of unequal) one(place);
}

function collect(
  routes: readonly CompiledRoute[],
  states: Uint8Array,
  makeContext: () => ConditionContext,
): Matches {
  const matched: RouteRule[] = [];
  const failed: RouteRule[] = [];
  let context: ConditionContext | undefined;
  for (let place = 0; place < states.length; place += 1) {
    const state = states[place];
    if (state === no) continue;
    const route = routes[place];
    if (route === undefined) continue;
    let result: boolean | 'error' = state === yes ? true : 'error';
    if (state === ask) {
      context ??= makeContext();
      result = route.condition?.evaluate(context) ?? true;
    }
    if (result === true) matched.push(route.rule);
    else if (result === 'error') failed.push(route.rule);
  }
  return { matched, failed };
}
