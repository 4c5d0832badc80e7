import { type HistogramCounts, quantile } from '../../../lib/histogram.ts';
import type { RoleAnswer } from '../../status/probe-nats.ts';

/** What the roles have counted between two answers, per second. */
export interface RoleRates {
  readonly bySource: Readonly<Record<string, number>>;
  readonly byVerdict: Readonly<Record<string, number>>;
  /** What took no place in the stream: known there already, or answered 503. */
  readonly atDoor: { readonly duplicate: number; readonly unavailable: number };
  /** Of what was stored in between; null: nothing was. */
  readonly doorToRowMs: { readonly p50: number | null; readonly p99: number | null };
}

type Counts = Readonly<Record<string, number>>;

/** `http` holds the messages of batches, too. */
const sources: Readonly<Record<string, string>> = {
  http: 'http',
  batch: 'http',
  mqtt: 'mqtt',
  'mqtt-bridge': 'mqtt-bridge',
};

/**
 * A process that answered before counts with the difference; one that did not, with all that it has counted when it is
 * that young, and else from the next answer on.
 */
export function ratesBetween(
  before: readonly RoleAnswer[],
  after: readonly RoleAnswer[],
  elapsedMs: number,
): RoleRates {
  const known = new Map(before.map((role) => [role.id, role]));
  const bySource: Record<string, number> = { http: 0, mqtt: 0 };
  const byVerdict: Record<string, number> = { stored: 0, duplicate: 0, quarantined: 0 };
  const atDoor = { duplicate: 0, unavailable: 0 };
  const ages: HistogramCounts[] = [];
  for (const role of after) {
    const earlier = known.get(role.id);
    if (earlier === undefined && role.uptimeMs > elapsedMs * 2) continue;
    add(bySource, difference(acceptedOf(role), acceptedOf(earlier)));
    const answered = difference(outcomesOf(role), outcomesOf(earlier));
    atDoor.duplicate += answered.duplicate ?? 0;
    atDoor.unavailable += answered.unavailable ?? 0;
    const settled = difference(countsOf(role.settled), countsOf(earlier?.settled));
    for (const verdict of Object.keys(byVerdict)) {
      byVerdict[verdict] = (byVerdict[verdict] ?? 0) + (settled[verdict] ?? 0);
    }
    const age = ageBetween(earlier?.doorToRowHistogramMs, role.doorToRowHistogramMs);
    if (age !== undefined) ages.push(age);
  }
  const perSecond = (counts: Counts) =>
    Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [name, rounded((count * 1_000) / elapsedMs)]),
    );
  return {
    bySource: perSecond(bySource),
    byVerdict: perSecond(byVerdict),
    atDoor: {
      duplicate: rounded((atDoor.duplicate * 1_000) / elapsedMs),
      unavailable: rounded((atDoor.unavailable * 1_000) / elapsedMs),
    },
    doorToRowMs: quantilesOf(ages),
  };
}

function acceptedOf(role: RoleAnswer | undefined): Counts {
  const counts: Record<string, number> = {};
  const intake = role?.intake;
  if (typeof intake !== 'object' || intake === null) return counts;
  for (const [source, outcomes] of Object.entries(intake)) {
    const name = sources[source] ?? source;
    counts[name] = (counts[name] ?? 0) + (countsOf(outcomes).accepted ?? 0);
  }
  return counts;
}

/** Of all its sources together. */
function outcomesOf(role: RoleAnswer | undefined): Counts {
  const counts: Record<string, number> = {};
  const intake = role?.intake;
  if (typeof intake !== 'object' || intake === null) return counts;
  for (const outcomes of Object.values(intake)) add(counts, countsOf(outcomes));
  return counts;
}

function countsOf(value: unknown): Counts {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

function difference(after: Counts, before: Counts): Counts {
  return Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, Math.max(0, count - (before[name] ?? 0))]),
  );
}

function add(sum: Record<string, number>, counts: Counts): void {
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
}

function ageBetween(before: unknown, after: unknown): HistogramCounts | undefined {
  if (!isHistogram(after)) return undefined;
  const earlier = isHistogram(before) ? before.counts : [];
  return {
    bounds: after.bounds,
    counts: after.counts.map((count, at) => Math.max(0, count - (earlier[at] ?? 0))),
  };
}

function isHistogram(value: unknown): value is HistogramCounts {
  if (typeof value !== 'object' || value === null || !('bounds' in value && 'counts' in value)) return false;
  return Array.isArray(value.bounds) && Array.isArray(value.counts);
}

function quantilesOf(histograms: readonly HistogramCounts[]): RoleRates['doorToRowMs'] {
  const [first] = histograms;
  if (first === undefined) return { p50: null, p99: null };
  const counts = first.counts.map((_, at) =>
    histograms.reduce((sum, each) => sum + (each.counts[at] ?? 0), 0),
  );
  const of = (q: number) => {
    const value = quantile({ bounds: first.bounds, counts }, q);
    // Above the last bound: that bound is what is known.
    if (value === Number.POSITIVE_INFINITY) return first.bounds.at(-1) ?? null;
    return value === undefined ? null : rounded(value);
  };
  return { p50: of(0.5), p99: of(0.99) };
}

export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
