import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { OverviewSample } from '../../../console/installation-service.ts';
import { selectDeviceTotals } from '../../../store/listings/flow-totals.ts';
import { streamName } from '../../../stream/subjects.ts';
import { type AuditListener, listenToAudit } from '../../status/heard-audit.ts';
import { askRoles, type RoleAnswer, sampleStreams } from '../../status/probe-nats.ts';
import { createDeviceCounts } from './device-counts.ts';
import { everySecond } from './every-second.ts';
import { ratesBetween, rounded } from './role-rates.ts';

export interface OverviewSources {
  readonly nats: () => NatsConnection | undefined;
  readonly pool: pg.Pool;
  readonly durability: () => string | undefined;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

interface Heard {
  readonly roles: readonly RoleAnswer[];
  readonly atMs: number;
}

/** Once a second what the roles have counted: they are asked over NATS, the database only for the devices' states. */
export function openWholeOverview(
  sources: OverviewSources,
  tell: (sample: OverviewSample) => void,
): () => void {
  const { now } = sources;
  const audits = listenWhenConnected(sources);
  const devices = createDeviceCounts(() => selectDeviceTotals(sources.pool), now);
  let before: Heard | undefined;
  const stop = everySecond(async (isStopped) => {
    const [heard, backlog, counted] = await Promise.all([hear(sources), backlogOf(sources), devices()]);
    if (isStopped()) return;
    const earlier = before;
    before = heard;
    // The first look is what the second is compared with: by itself it would tell of rates that are none.
    if (earlier === undefined) return;
    const rates = ratesBetween(earlier.roles, heard.roles, Math.max(1, heard.atMs - earlier.atMs));
    const { online, stale, offline, silent } = counted;
    tell({
      time: new Date(sources.wallClock()).toISOString(),
      in_per_second: rounded(Object.values(rates.bySource).reduce((sum, rate) => sum + rate, 0)),
      out_per_second: rates.byVerdict.stored ?? 0,
      by_source: rates.bySource,
      by_verdict: rates.byVerdict,
      backlog,
      door_to_row_ms: rates.doorToRowMs,
      unaccounted: audits()?.current()?.unaccounted ?? null,
      durability: sources.durability() ?? null,
      devices: { online, stale, offline, silent },
    });
  });
  return () => {
    stop();
    void audits()?.drain();
  };
}

/** The connection may come later. */
function listenWhenConnected({ nats, now }: OverviewSources): () => AuditListener | undefined {
  let listener: AuditListener | undefined;
  return () => {
    const nc = nats();
    if (nc !== undefined) listener ??= listenToAudit(nc, now);
    return listener;
  };
}

async function hear({ nats, now }: OverviewSources): Promise<Heard> {
  const nc = nats();
  const roles = nc === undefined ? [] : await askRoles(nc).catch(() => []);
  return { roles, atMs: now() };
}

/** Not delivered yet, or not acknowledged. */
async function backlogOf({ nats }: OverviewSources): Promise<number | null> {
  const nc = nats();
  if (nc === undefined) return null;
  try {
    const { streams } = await sampleStreams(nc);
    const consumer = streams.find(({ name }) => name === streamName)?.consumer;
    return consumer === undefined ? null : consumer.pending + consumer.ackPending;
  } catch {
    return null;
  }
}
