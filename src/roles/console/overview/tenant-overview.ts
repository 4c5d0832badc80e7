import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import type { OverviewSample } from '../../../console/installation-service.ts';
import { createHistogram, type Histogram } from '../../../lib/histogram.ts';
import type { TenantId } from '../../../model/identifiers.ts';
import { countTenantDevices, countTenantQuarantined } from '../../../store/console/tenant-counts.ts';
import { withTenant } from '../../../store/with-tenant.ts';
import { messagesOf } from '../../../stream/stream-info.ts';
import { readingsSubjects, streamName, telemetrySubject } from '../../../stream/subjects.ts';
import { createDeviceCounts } from './device-counts.ts';
import { everySecond } from './every-second.ts';
import { quantilesOf, rounded } from './role-rates.ts';
import type { OverviewSources } from './whole-overview.ts';

/** Reading the time of arrival out of each would cost more than the rest; so many a second are enough for the ages. */
const agedPerSecond = 500;
const ageBounds = [5, 10, 20, 30, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000];

interface Seen {
  stored: number;
  ages: Histogram;
  aged: number;
}

const nothingSeen = (): Seen => ({ stored: 0, ages: createHistogram(ageBounds), aged: 0 });

/**
 * How much of one tenant flows: what is stored comes from the after-commit feed, what is quarantined from its counters.
 * Duplicates and sources are counted over all tenants only.
 */
export function openTenantOverview(
  sources: OverviewSources,
  tenantId: TenantId,
  tell: (sample: OverviewSample) => void,
): () => void {
  const { pool, now, wallClock, durability } = sources;
  let seen = nothingSeen();
  const tap = listenToTap(sources, tenantId, () => seen);
  const devices = createDeviceCounts(
    () => withTenant(pool, tenantId, (client) => countTenantDevices(client, tenantId)),
    now,
  );
  const quarantined = createDifference(() =>
    withTenant(pool, tenantId, (client) => countTenantQuarantined(client, tenantId)),
  );
  let sinceMs: number | undefined;
  const stop = everySecond(async (isStopped) => {
    tap.ensure();
    const [refused, backlog, counted] = await Promise.all([
      quarantined(),
      backlogOf(sources.nats(), tenantId),
      devices(),
    ]);
    if (isStopped()) return;
    const [{ stored, ages }, startedMs] = [seen, sinceMs];
    seen = nothingSeen();
    sinceMs = now();
    // The first look only begins to count.
    if (startedMs === undefined) return;
    const elapsedMs = Math.max(1, sinceMs - startedMs);
    const perSecond = (count: number) => rounded((count * 1_000) / elapsedMs);
    const byVerdict = { stored: perSecond(stored), quarantined: perSecond(refused) };
    tell({
      time: new Date(wallClock()).toISOString(),
      in_per_second: rounded(byVerdict.stored + byVerdict.quarantined),
      out_per_second: byVerdict.stored,
      by_source: {},
      by_verdict: byVerdict,
      backlog,
      door_to_row_ms: quantilesOf([ages.counts()]),
      unaccounted: null,
      durability: durability() ?? null,
      devices: counted,
    });
  });
  return () => {
    stop();
    tap.end();
  };
}

function listenToTap({ nats, wallClock }: OverviewSources, tenantId: TenantId, seen: () => Seen) {
  let subscription: Subscription | undefined;
  return {
    /** The connection may come later. */
    ensure() {
      subscription ??= nats()?.subscribe(readingsSubjects(tenantId), {
        callback: (error, message) => {
          if (error !== null) return;
          const into = seen();
          into.stored += 1;
          if (into.aged >= agedPerSecond) return;
          into.aged += 1;
          const arrivedAt = /"arrived_at":"([^"]+)"/.exec(message.string())?.[1];
          if (arrivedAt !== undefined) into.ages.add(Math.max(0, wallClock() - Date.parse(arrivedAt)));
        },
      });
    },
    end: () => subscription?.unsubscribe(),
  };
}

/** What a counter has grown by since it was asked before; 0 while it cannot be asked. */
function createDifference(count: () => Promise<bigint>): () => Promise<number> {
  let before: bigint | undefined;
  return async () => {
    const now = await count().catch(() => undefined);
    if (now === undefined) return 0;
    const grown = before === undefined ? 0n : now - before;
    before = now;
    return Math.max(0, Number(grown));
  };
}

async function backlogOf(nc: NatsConnection | undefined, tenantId: TenantId): Promise<number | null> {
  if (nc === undefined) return null;
  return messagesOf(nc, streamName, telemetrySubject(tenantId)).catch(() => null);
}
