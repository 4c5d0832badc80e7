import Type from 'typebox';
import { Check } from 'typebox/value';
import { type HistogramCounts, quantile } from '../../lib/histogram.ts';
import type { RoleAnswer } from './probe-nats.ts';

/** What every role said at one moment. */
export interface RolesSample {
  /** Milliseconds, monotonic. */
  readonly atMs: number;
  readonly roles: readonly RoleAnswer[];
}

/** Messages per second. */
export interface SourceRates {
  readonly accepted: number;
  /** JetStream had them already. */
  readonly duplicate: number;
  /** For whatever reason, 503s included. */
  readonly refused: number;
}

export interface FlowRates {
  readonly elapsedMs: number;
  /** By door: http, batch, mqtt, mqtt-bridge; those that have taken anything. */
  readonly bySource: Readonly<Record<string, SourceRates>>;
  /** Messages per second by what became of them; without those that were claimed before. */
  readonly byVerdict: Readonly<Record<Verdict, number>>;
  /** Of what was stored in this time; undefined: nothing was. `Infinity` lies above the last bound. */
  readonly doorToRowMs: { readonly p50: number; readonly p99: number } | undefined;
  /** Of one core, by role id, 1 being all of it. */
  readonly cpuById: ReadonlyMap<string, number>;
}

const verdicts = ['stored', 'duplicate', 'quarantined', 'internal'] as const;
type Verdict = (typeof verdicts)[number];

const doorSchema = Type.Object({
  intake: Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())),
});
const workerSchema = Type.Object({
  settled: Type.Record(Type.String(), Type.Number()),
  doorToRowHistogramMs: Type.Object({ bounds: Type.Array(Type.Number()), counts: Type.Array(Type.Number()) }),
});

/** Rates between two samples. A process that was not there before counts from its own start. */
export function flowRates(before: RolesSample, after: RolesSample): FlowRates {
  const elapsedMs = Math.max(1, after.atMs - before.atMs);
  const earlier = new Map(before.roles.map((role) => [role.id, role]));
  // What has run for longer, and was only not heard before, would count all that it ever did.
  const known = after.roles.filter(({ id, uptimeMs }) => earlier.has(id) || uptimeMs <= elapsedMs);
  const changes = known.map((now) => ({ now, before: earlier.get(now.id) }));
  return {
    elapsedMs,
    bySource: sourceRates(changes, elapsedMs),
    byVerdict: verdictRates(changes, elapsedMs),
    doorToRowMs: doorToRow(changes),
    cpuById: new Map(
      changes.flatMap(({ now, before: then }) =>
        now.cpuMs === undefined || then?.cpuMs === undefined
          ? []
          : [[now.id, Math.max(0, now.cpuMs - then.cpuMs) / elapsedMs] as const],
      ),
    ),
  };
}

interface Change {
  readonly now: RoleAnswer;
  readonly before: RoleAnswer | undefined;
}

function sourceRates(changes: readonly Change[], elapsedMs: number): Record<string, SourceRates> {
  const rates: Record<string, { accepted: number; duplicate: number; refused: number }> = {};
  for (const { now, before } of changes) {
    if (!Check(doorSchema, now)) continue;
    const { intake } = now;
    const earlier = Check(doorSchema, before) ? before.intake : {};
    for (const [source, outcomes] of Object.entries(intake)) {
      rates[source] ??= { accepted: 0, duplicate: 0, refused: 0 };
      for (const [outcome, total] of Object.entries(outcomes)) {
        const kind = outcome === 'accepted' || outcome === 'duplicate' ? outcome : 'refused';
        rates[source][kind] += perSecond(total - (earlier[source]?.[outcome] ?? 0), elapsedMs);
      }
    }
  }
  return rates;
}

function verdictRates(changes: readonly Change[], elapsedMs: number): Record<Verdict, number> {
  const rates = { stored: 0, duplicate: 0, quarantined: 0, internal: 0 };
  for (const { now, before } of changes) {
    if (!Check(workerSchema, now)) continue;
    const { settled } = now;
    const earlier = Check(workerSchema, before) ? before.settled : {};
    for (const verdict of verdicts)
      rates[verdict] += perSecond((settled[verdict] ?? 0) - (earlier[verdict] ?? 0), elapsedMs);
  }
  return rates;
}

/** All workers together; those of another version, with other bounds, are left out. */
function doorToRow(changes: readonly Change[]): FlowRates['doorToRowMs'] {
  let sum: HistogramCounts | undefined;
  for (const { now, before } of changes) {
    if (!Check(workerSchema, now)) continue;
    const { bounds, counts } = now.doorToRowHistogramMs;
    const earlier = Check(workerSchema, before) ? before.doorToRowHistogramMs.counts : [];
    const added = counts.map((count, at) => Math.max(0, count - (earlier[at] ?? 0)));
    if (sum === undefined) sum = { bounds, counts: added };
    else if (String(sum.bounds) === String(bounds))
      sum = { bounds, counts: sum.counts.map((count, at) => count + (added[at] ?? 0)) };
  }
  if (sum === undefined) return undefined;
  const [p50, p99] = [quantile(sum, 0.5), quantile(sum, 0.99)];
  return p50 === undefined || p99 === undefined ? undefined : { p50, p99 };
}

function perSecond(count: number, elapsedMs: number): number {
  return (Math.max(0, count) * 1_000) / elapsedMs;
}
