import type { Queryable } from '../statements/queryable.ts';
import { pageRanges } from './page-ranges.ts';

export interface SweepOptions {
  /** Without a message for so long a device is STALE. */
  readonly staleAfterMs: number;
  /** And OFFLINE after so long. */
  readonly offlineAfterMs: number;
  readonly pagesPerChunk?: number;
}

/** A chunk's rows are locked until its transaction ends, and settling waits for them: some 10,000 devices, a fraction of a second. */
const sweepPagesPerChunk = 128;

// Settling locks rows in the order of their keys, and this walks in the order of pages: it never waits for a row,
// or the two would deadlock. A row that is locked is just being settled, so its device is not silent.
//
// Where the tenant has a route that fires on silence, the change is put into the outbox, in the same statement.
const text = `with due as materialized (
    select tenant_id, device_id, status as previous from device_state
    where ctid >= $1::tid and ctid < $2::tid
      and ((status = 'ONLINE' and last_seen_at <= now() - $3::float8 * interval '1 ms')
        or (status <> 'OFFLINE' and last_seen_at <= now() - $4::float8 * interval '1 ms'))
    for no key update skip locked
  ), changed as (
    update device_state s set
      status = case when s.last_seen_at <= now() - $4::float8 * interval '1 ms' then 'OFFLINE' else 'STALE' end,
      status_since = s.last_seen_at +
        case when s.last_seen_at <= now() - $4::float8 * interval '1 ms' then $4::float8 else $3::float8 end
        * interval '1 ms'
    from due where s.tenant_id = due.tenant_id and s.device_id = due.device_id
    returning s.tenant_id, s.device_id, s.status, s.status_since, due.previous
  ), owed as (
    insert into route_outbox (kind, due_at, tenant_id, event)
    select 'status', now(), tenant_id, jsonb_build_object('device_id', device_id, 'status', status,
      'previous', previous, 'since', status_since)
    from changed
    where status = 'OFFLINE' and exists (select from routes r where r.tenant_id = changed.tenant_id and r.enabled
                                           and 'status' = any(r.fires_on))
  )
  select count(*)::int as changed from changed`;

/**
 * Makes silent devices STALE and OFFLINE, with the moment at which they became so by the thresholds and not the
 * moment of the sweep. Reads the whole table, writes only what changes. @returns how many changed.
 */
export async function sweepStatus(db: Queryable, options: SweepOptions): Promise<number> {
  const { staleAfterMs, offlineAfterMs, pagesPerChunk = sweepPagesPerChunk } = options;
  let changed = 0;
  for (const { from, to } of await pageRanges(db, 'device_state', pagesPerChunk)) {
    const { rows } = await db.query<{ changed: number }>({
      name: 'sweep-status',
      text,
      values: [from, to, staleAfterMs, offlineAfterMs],
    });
    changed += rows[0]?.changed ?? 0;
  }
  return changed;
}
