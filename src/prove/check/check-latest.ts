import type pg from 'pg';
import type { JournalEntry } from '../journal.ts';
import type { Violation } from '../violation.ts';

// Of equally late values any may have won.
const sensorsText = `
with ranked as (
  select t.tenant_id, t.device_id, m.key as metric, m.value,
         rank() over (partition by t.tenant_id, t.device_id, m.key
                      order by least(t.time, t.arrived_at) desc, coalesce(t.seq, -1) desc) as place
  from telemetry t, jsonb_each(t.metrics) m),
latest as (
  select tenant_id, device_id, metric, array_agg(value) as candidates from ranked where place = 1 group by 1, 2, 3)
select coalesce(l.tenant_id, s.tenant_id) || '/' || coalesce(l.device_id, s.device_id) || ' '
         || coalesce(l.metric, s.metric) as sensor,
       s.latest, l.candidates[1] as expected
from latest l full join sensors s using (tenant_id, device_id, metric)
where s.latest is null or l.candidates is null or s.latest <> all (l.candidates)`;

const lastSeenText = `
select d.tenant_id || '/' || d.device_id as device, d.newest_ms, s.seen_ms
from (select tenant_id, device_id, max(extract(epoch from arrived_at)::float8 * 1000) as newest_ms
      from telemetry group by 1, 2) d
full join (select tenant_id, device_id, extract(epoch from last_seen_at)::float8 * 1000 as seen_ms
           from device_state) s using (tenant_id, device_id)`;

/**
 * Latest values and last-seen follow from the rows; a resend that was a duplicate moves last-seen, too.
 * @param doorsAheadMs how far ahead of the true time a door's clock may have dated an arrival
 */
export async function checkLatest(
  pool: pg.Pool,
  entries: readonly JournalEntry[],
  doorsAheadMs: number,
): Promise<Violation[]> {
  const [sensors, states] = await Promise.all([pool.query(sensorsText), pool.query(lastSeenText)]);
  const lastSentMs = new Map<string, number>();
  for (const { message, lastEndedAtMs } of entries) {
    const device = `${message.device.tenantId}/${message.device.deviceId}`;
    lastSentMs.set(device, Math.max(lastSentMs.get(device) ?? 0, lastEndedAtMs));
  }
  const isRight = (row: { device: string; newest_ms: number | null; seen_ms: number | null }) =>
    row.newest_ms !== null &&
    row.seen_ms !== null &&
    row.seen_ms >= row.newest_ms &&
    row.seen_ms <= (lastSentMs.get(row.device) ?? 0) + 1 + doorsAheadMs;
  return [
    ...sensors.rows.map(
      (row): Violation => ({
        kind: 'latest',
        what: `sensor ${row.sensor} is ${row.latest ?? 'missing'}, its latest row says ${row.expected ?? 'nothing'}`,
      }),
    ),
    ...states.rows
      .filter((row) => !isRight(row))
      .map(
        (row): Violation => ({
          kind: 'latest',
          what: `${row.device} was last seen at ${row.seen_ms}, its newest row arrived at ${row.newest_ms}`,
        }),
      ),
  ];
}
