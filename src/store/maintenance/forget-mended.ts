import type { QuarantineLimits } from '../../model/quarantine-limits.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface ForgetMendedOptions {
  /** How long it is kept what a mended message was sent as. */
  readonly originalDays: number;
  /** As much of a tenant at most as may lie in its quarantine. */
  readonly limits: QuarantineLimits;
  /** How long it is known that a message was mended, counted from its event time. */
  readonly retentionDays: number;
}

/** Forgets what mended messages were sent as, the oldest first, and in the end that they were. */
export async function forgetMended(
  db: Queryable,
  { originalDays, limits, retentionDays }: ForgetMendedOptions,
): Promise<void> {
  await db.query({
    text: `update mended_messages m set original = null
      from (
        select identity, stored_at, row_number() over newest_first as rows,
               sum(octet_length(original)) over newest_first as bytes
        from mended_messages where original is not null
        window newest_first as (partition by tenant_id order by stored_at desc, identity)
      ) kept
      where kept.identity = m.identity
        and (kept.rows > $2 or kept.bytes > $3 or kept.stored_at < now() - $1 * interval '1 day')`,
    values: [originalDays, limits.tenant.rows, limits.tenant.bytes],
  });
  // A day later than its week of telemetry goes: as long as the row is there, its identity is known.
  await db.query({
    text: `delete from mended_messages where time < now() - ($1 + 8) * interval '1 day'
      and stored_at < now() - interval '8 days'`,
    values: [retentionDays],
  });
}
