import type { DeadLetterReason } from '../../model/dead-letter.ts';
import type { Queryable } from '../statements/queryable.ts';

/** A job given up, by reference to its message, or with its event. */
export interface NewDeadLetter {
  readonly tenantId: string;
  readonly routeId: number;
  /** Undefined: as the route is called now. */
  readonly routeName: string | undefined;
  readonly reason: DeadLetterReason;
  /** One sentence. */
  readonly detail: string;
  readonly kind: 'message' | 'status';
  /** Of a message: its row in `telemetry`. ISO 8601 with µs. */
  readonly time: string | undefined;
  /** 32 hex digits. */
  readonly identity: string | undefined;
  /** Of a change of status: JSON text. */
  readonly eventText: string | undefined;
  readonly attempts: number;
  /** When the first attempt was made, ms since the epoch; undefined: now. */
  readonly firstAtMs: number | undefined;
}

const text = `
insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, time, identity, event, attempts, first_at)
select d.tenant_id, d.route_id, coalesce(d.route_name, r.name, ''), d.reason, d.detail, d.kind, d.time, d.identity, d.event,
       d.attempts, coalesce(timestamptz 'epoch' + d.first_ms * interval '1 millisecond', now())
from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[],
            $9::jsonb[], $10::int[], $11::float8[])
  as d (tenant_id, route_id, route_name, reason, detail, kind, time, identity, event, attempts, first_ms)
  left join routes r on r.route_id = d.route_id`;

/** Does not count them: that is `addToRouteTotals`, in the same transaction. */
export async function insertDeadLetters(db: Queryable, letters: readonly NewDeadLetter[]): Promise<void> {
  await db.query({
    name: 'insert-dead-letters',
    text,
    values: [
      letters.map((letter) => letter.tenantId),
      letters.map((letter) => letter.routeId),
      letters.map((letter) => letter.routeName ?? null),
      letters.map((letter) => letter.reason),
      letters.map((letter) => letter.detail),
      letters.map((letter) => letter.kind),
      letters.map((letter) => letter.time ?? null),
      letters.map((letter) => letter.identity ?? null),
      letters.map((letter) => letter.eventText ?? null),
      letters.map((letter) => letter.attempts),
      letters.map((letter) => letter.firstAtMs ?? null),
    ],
  });
}
