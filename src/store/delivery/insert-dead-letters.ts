import type { Queryable } from '../statements/queryable.ts';

/** By reference: the message itself is in `telemetry`. */
export interface NewDeadLetter {
  readonly tenantId: string;
  readonly routeId: number;
  readonly routeName: string;
  readonly reason: string;
  readonly detail: string;
  /** ISO 8601, of the message's row; undefined for a change of status. */
  readonly time: string | undefined;
  /** 32 hex digits; undefined for a change of status. */
  readonly identity: string | undefined;
  /** JSON, of a change of status. */
  readonly event: string | undefined;
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly firstAtMs: number;
}

const text = `
insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, time, identity, event, attempts, first_at)
select tenant_id, route_id, route_name, reason, detail, case when event is null then 'message' else 'status' end,
       time::timestamptz, identity, event, attempts, timestamptz 'epoch' + first_ms * interval '1 ms'
from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::jsonb[], $9::int[],
            $10::float8[])
  as d (tenant_id, route_id, route_name, reason, detail, time, identity, event, attempts, first_ms)`;

export async function insertDeadLetters(db: Queryable, letters: readonly NewDeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  await db.query({
    name: 'insert-delivery-dead-letters',
    text,
    values: [
      letters.map(({ tenantId }) => tenantId),
      letters.map(({ routeId }) => routeId),
      letters.map(({ routeName }) => routeName),
      letters.map(({ reason }) => reason),
      letters.map(({ detail }) => detail),
      letters.map(({ time }) => time ?? null),
      letters.map(({ identity }) => identity ?? null),
      letters.map(({ event }) => event ?? null),
      letters.map(({ attempts }) => attempts),
      letters.map(({ firstAtMs }) => firstAtMs),
    ],
  });
}
