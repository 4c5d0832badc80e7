import type { Queryable } from '../statements/queryable.ts';

/** What became of the messages of a stream. */
export interface FlowTotals {
  readonly stored: bigint;
  readonly duplicates: bigint;
  readonly quarantined: bigint;
}

/** Sums of the ledger over the epochs of a stream; all zero before the first message. */
export async function selectFlowTotals(db: Queryable, stream: string): Promise<FlowTotals> {
  const { rows } = await db.query<FlowTotals>({
    text: `
      select coalesce(sum(stored), 0)::bigint as stored, coalesce(sum(duplicates), 0)::bigint as duplicates,
             coalesce(sum(quarantined), 0)::bigint as quarantined
      from ledger where epoch in (select epoch from stream_epochs where stream = $1)`,
    values: [stream],
  });
  return rows[0] ?? { stored: 0n, duplicates: 0n, quarantined: 0n };
}

export interface DeviceTotals {
  readonly tenants: number;
  readonly devices: number;
  readonly online: number;
  readonly stale: number;
  readonly offline: number;
  /** Registered, and never heard of. */
  readonly silent: number;
}

/** How many devices are in which status, over all tenants. */
export async function selectDeviceTotals(db: Queryable): Promise<DeviceTotals> {
  const { rows } = await db.query<DeviceTotals>({
    text: `
      select (select count(*) from tenants)::int as tenants, count(*)::int as devices,
             count(*) filter (where s.status = 'ONLINE')::int as online,
             count(*) filter (where s.status = 'STALE')::int as stale,
             count(*) filter (where s.status = 'OFFLINE')::int as offline,
             count(*) filter (where s.status is null)::int as silent
      from devices d left join device_state s using (tenant_id, device_id)`,
  });
  return rows[0] ?? { tenants: 0, devices: 0, online: 0, stale: 0, offline: 0, silent: 0 };
}
