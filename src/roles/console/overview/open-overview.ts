import type pg from 'pg';
import type { OverviewSample } from '../../../console/installation-service.ts';
import type { TenantId } from '../../../model/identifiers.ts';
import { countTenantDevices } from '../../../store/console/tenant-counts.ts';
import { selectDeviceTotals } from '../../../store/listings/flow-totals.ts';
import { withTenant } from '../../../store/with-tenant.ts';
import { type AuditListener, listenToAudit } from '../../status/heard-audit.ts';
import { blockedBy } from './blocked-by.ts';
import { createDeviceCounts } from './device-counts.ts';
import { type Look, lookAt, type OverviewSources } from './look.ts';
import { repeatLook } from './repeat-look.ts';
import { ratesBetween, rounded } from './role-rates.ts';

/**
 * Once a second what the roles have counted, of all tenants or of one: they are asked over NATS, the database only for
 * the devices' states.
 */
export function openOverview(
  sources: OverviewSources,
  tenantId: TenantId | undefined,
  tell: (sample: OverviewSample) => void,
): () => void {
  const { now, pool } = sources;
  // What is unaccounted for cannot be told by tenant.
  const audits = tenantId === undefined ? listenWhenConnected(sources) : () => undefined;
  const devices = createDeviceCounts(() => countDevices(pool, tenantId), now);
  let before: Look | undefined;
  const stop = repeatLook(async (isStopped) => {
    const [look, counted] = await Promise.all([lookAt(sources, tenantId), devices()]);
    if (isStopped()) return;
    const earlier = before;
    before = look;
    // The first look is what the second is compared with: by itself it would tell of rates that are none.
    if (earlier === undefined) return;
    tell({
      time: new Date(sources.wallClock()).toISOString(),
      ...flowBetween(earlier, look),
      backlog: look.stream?.backlog ?? null,
      unaccounted: audits()?.current()?.unaccounted ?? null,
      durability: sources.durability() ?? null,
      devices: counted,
    });
  });
  return () => {
    stop();
    void audits()?.drain();
  };
}

function flowBetween(before: Look, after: Look) {
  const rates = ratesBetween(before.roles, after.roles, Math.max(1, after.atMs - before.atMs));
  return {
    in_per_second: rounded(Object.values(rates.bySource).reduce((sum, rate) => sum + rate, 0)),
    out_per_second: rates.byVerdict.stored ?? 0,
    by_source: rates.bySource,
    by_verdict: rates.byVerdict,
    duplicates_at_door: rates.atDoor.duplicate,
    refused_per_second: rates.atDoor.unavailable,
    door_to_row_ms: rates.doorToRowMs,
    blocked_by: blockedBy(before, after, rates.atDoor.unavailable),
  };
}

async function countDevices(
  pool: pg.Pool,
  tenantId: TenantId | undefined,
): Promise<OverviewSample['devices']> {
  if (tenantId !== undefined)
    return withTenant(pool, tenantId, (client) => countTenantDevices(client, tenantId));
  const { online, stale, offline, silent } = await selectDeviceTotals(pool);
  return { online, stale, offline, silent };
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
