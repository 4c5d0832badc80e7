import type { Queryable } from '../statements/queryable.ts';
import type { OwedJob } from './insert-outbox.ts';

export interface OwedGroup {
  readonly jobGroup: string;
  readonly kind: 'message' | 'status';
  /** Of messages. */
  readonly jobs: readonly OwedJob[];
  /** Of a change of status. */
  readonly tenantId: string | undefined;
  readonly event: StatusEvent | undefined;
}

export interface StatusEvent {
  readonly deviceId: string;
  readonly status: string;
  readonly previous: string;
  /** ISO 8601 in UTC, µs. */
  readonly since: string;
  /** For this route, which it has matched before; undefined: for those that match. */
  readonly routeId: number | undefined;
}

interface Row {
  readonly job_group: string;
  readonly kind: 'message' | 'status';
  readonly times_us: string[];
  readonly identities: string[];
  readonly route_ids: number[];
  readonly tenant_id: string | null;
  readonly device_id: string | null;
  readonly status: string | null;
  readonly previous: string | null;
  readonly since: string | null;
  readonly route_id: number | null;
}

export const isoMicroseconds = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

const takeText = `
update route_outbox o set due_at = now() + $2 * interval '1 ms'
from (
  select job_group from route_outbox where due_at <= now() order by due_at limit $1 for update skip locked
) due
where o.job_group = due.job_group
returning o.job_group::text, o.kind, o.times_us::text[], o.identities::text[], o.route_ids, o.tenant_id,
  o.event ->> 'device_id' as device_id, o.event ->> 'status' as status, o.event ->> 'previous' as previous,
  to_char((o.event ->> 'since')::timestamptz at time zone 'UTC', ${isoMicroseconds}) as since,
  (o.event ->> 'route_id')::integer as route_id`;

/** Takes groups that nobody publishes from memory any more. Nobody else takes them for `leaseMs`. */
export async function takeOwed(
  db: Queryable,
  { groups, leaseMs }: { readonly groups: number; readonly leaseMs: number },
): Promise<OwedGroup[]> {
  const { rows } = await db.query<Row>({ name: 'take-owed', text: takeText, values: [groups, leaseMs] });
  return rows.map((row) => ({
    jobGroup: row.job_group,
    kind: row.kind,
    jobs: row.route_ids.map((routeId, index) => ({
      routeId,
      timeUs: Number(row.times_us[index]),
      identity: (row.identities[index] ?? '').replaceAll('-', ''),
    })),
    tenantId: row.tenant_id ?? undefined,
    event: eventOf(row),
  }));
}

function eventOf({ device_id, status, previous, since, route_id }: Row): StatusEvent | undefined {
  if (device_id === null || status === null || since === null) return undefined;
  return { deviceId: device_id, status, previous: previous ?? '', since, routeId: route_id ?? undefined };
}

/** How many jobs are owed, those of groups in hand included. */
export async function countOwed(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ jobs: number }>({
    name: 'count-owed',
    text: `select coalesce(sum(jobs), 0)::float8 as jobs from route_outbox`,
  });
  return rows[0]?.jobs ?? 0;
}
