import type { NatsConnection } from '@nats-io/nats-core';
import Type from 'typebox';
import { Check } from 'typebox/value';
import type { FlowPoint } from '../../../console/installation-service.ts';
import { natsAnswers } from '../../servers/answers.ts';
import { askRoles, type RoleAnswer } from '../../status/probe-nats.ts';
import { repeatLook } from './repeat-look.ts';
import { ratesBetween, rounded } from './role-rates.ts';

/*
 * The last five minutes of what came in and was settled, of all and of each tenant, so that whoever opens an overview
 * sees at once what was before. Coarser than what is told while somebody looks: a question each five seconds is all it
 * costs. Kept in memory: a console that starts anew begins anew.
 */

const everyMs = 5_000;
const keptMs = 300_000;

/** Of one stretch of time, messages per second. */
interface Stretch {
  readonly timeMs: number;
  readonly in: number;
  readonly settled: number;
  readonly tenants: ReadonlyMap<string, { readonly in: number; readonly settled: number }>;
  /** Some role has counted so many tenants that it did not tell all of them. */
  readonly isPartial: boolean;
}

export interface FlowHistory {
  /** Of one tenant, or of all; the oldest first. */
  of(tenantId: string | undefined): readonly FlowPoint[];
  stop(): void;
}

export interface FlowHistoryOptions {
  readonly nats: () => NatsConnection | undefined;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly intervalMs?: number;
}

export function startFlowHistory({
  nats,
  now,
  wallClock,
  intervalMs = everyMs,
}: FlowHistoryOptions): FlowHistory {
  let stretches: Stretch[] = [];
  let before: { readonly atMs: number; readonly roles: readonly RoleAnswer[] } | undefined;
  const stop = repeatLook(async (isStopped) => {
    const nc = nats();
    const isThere = nc !== undefined && (await natsAnswers(nc));
    const roles = isThere ? await askRoles(nc, { tenants: true }).catch(() => undefined) : undefined;
    if (isStopped()) return;
    const earlier = before;
    before = roles === undefined ? undefined : { atMs: now(), roles };
    // A time in which nobody could be asked stays empty.
    if (earlier === undefined || before === undefined) return;
    const timeMs = wallClock();
    const stretch = stretchBetween(earlier.roles, before.roles, Math.max(1, before.atMs - earlier.atMs));
    stretches = [...stretches.filter((each) => each.timeMs > timeMs - keptMs), { timeMs, ...stretch }];
  }, intervalMs);
  return {
    of: (tenantId) => (tenantId === undefined ? stretches : stretches.flatMap(pointOf(tenantId))),
    stop,
  };
}

function pointOf(tenantId: string): (stretch: Stretch) => readonly FlowPoint[] {
  return ({ timeMs, tenants, isPartial }) => {
    const found = tenants.get(tenantId);
    if (found !== undefined) return [{ timeMs, ...found }];
    // Left out, or silent? Where that is not known, nothing is told.
    return isPartial ? [] : [{ timeMs, in: 0, settled: 0 }];
  };
}

const countsSchema = Type.Object({
  kind: Type.Union([Type.Literal('in'), Type.Literal('settled')]),
  counts: Type.Array(Type.Tuple([Type.String(), Type.Number()])),
});

/** Pure; for tests, too. */
export function stretchBetween(
  before: readonly RoleAnswer[],
  after: readonly RoleAnswer[],
  elapsedMs: number,
): Omit<Stretch, 'timeMs'> {
  const { bySource, byVerdict } = ratesBetween(before, after, elapsedMs);
  const known = new Map(before.map((role) => [role.id, role]));
  const tenants = new Map<string, { in: number; settled: number }>();
  for (const role of after) {
    const earlier = known.get(role.id);
    // As for the rates of all: it was there before, and was not heard.
    if (!Check(countsSchema, role.tenants) || (earlier === undefined && role.uptimeMs > elapsedMs * 2))
      continue;
    const { kind, counts } = role.tenants;
    const old = new Map(Check(countsSchema, earlier?.tenants) ? earlier.tenants.counts : []);
    for (const [tenantId, count] of counts) {
      const grown = count - (old.get(tenantId) ?? (isPartial(earlier) ? count : 0));
      if (grown <= 0) continue;
      const sum = tenants.getOrInsertComputed(tenantId, () => ({ in: 0, settled: 0 }));
      sum[kind] += rounded((grown * 1_000) / elapsedMs);
    }
  }
  const sum = (rates: Readonly<Record<string, number>>) =>
    rounded(Object.values(rates).reduce((total, rate) => total + rate, 0));
  return { in: sum(bySource), settled: sum(byVerdict), tenants, isPartial: after.some(isPartial) };
}

function isPartial(role: RoleAnswer | undefined): boolean {
  return typeof role?.tenantsLeftOut === 'number' && role.tenantsLeftOut > 0;
}
