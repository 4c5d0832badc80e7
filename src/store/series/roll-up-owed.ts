import type pg from 'pg';
import type { Queryable } from '../statements/queryable.ts';
import { writeRollups } from './rollup-lock.ts';
import { rolledNumbers } from './rollup-sql.ts';

interface OwedBucket {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly bucket: string;
}

/**
 * Rolls up again what is owed, in one transaction. For one process at a time.
 *
 * A row that is stored meanwhile is seen, or its mark stays: marks go first, and the rows are looked at after.
 * @returns how many marks went
 */
export function rollUpOwed(client: pg.Client, maxMarks: number): Promise<number> {
  return writeRollups(client, async () => {
    const { marks, buckets } = await takeMarks(client, maxMarks);
    if (buckets.length > 0) await rollUpAgain(client, buckets);
    return marks;
  });
}

// In the order they lie on disk, so about the oldest first.
const takeText = `
with taken as (
  delete from rollup_owed where ctid = any(array(
    select ctid from rollup_owed where bucket < (select rolled_to from rollup_mark) limit $1))
  returning tenant_id, device_id, bucket
)
select tenant_id, device_id, bucket::text as bucket, count(*)::int as marks from taken
group by tenant_id, device_id, bucket order by tenant_id, device_id, bucket`;

async function takeMarks(db: Queryable, maxMarks: number): Promise<{ marks: number; buckets: OwedBucket[] }> {
  const { rows } = await db.query<OwedBucket & { readonly marks: number }>({
    text: takeText,
    values: [maxMarks],
  });
  return { marks: rows.reduce((sum, { marks }) => sum + marks, 0), buckets: rows };
}

const owed = 'unnest($1::text[], $2::text[], $3::timestamptz[]) as owed (tenant_id, device_id, bucket)';

const deleteText = `
delete from telemetry_rollup r using ${owed}
where r.tenant_id = owed.tenant_id and r.device_id = owed.device_id and r.bucket = owed.bucket`;

// `offset 0` has each bucket read by itself, by the index of devices.
const insertText = `
insert into telemetry_rollup (tenant_id, device_id, bucket, metric, count, sum, min, max)
select tenant_id, device_id, bucket, metric, ${rolledNumbers}
from (
  select owed.tenant_id, owed.device_id, owed.bucket, m.key as metric, m.value::numeric as value
  from ${owed} cross join lateral (
    select metrics from telemetry t
    where t.tenant_id = owed.tenant_id and t.device_id = owed.device_id
      and t.time >= owed.bucket and t.time < owed.bucket + interval '5 minutes'
    offset 0
  ) t cross join lateral jsonb_each(t.metrics) m
  where jsonb_typeof(m.value) = 'number'
) numbers
group by tenant_id, device_id, bucket, metric`;

async function rollUpAgain(db: Queryable, buckets: readonly OwedBucket[]): Promise<void> {
  const values = [
    buckets.map(({ tenant_id }) => tenant_id),
    buckets.map(({ device_id }) => device_id),
    buckets.map(({ bucket }) => bucket),
  ];
  await db.query({ name: 'delete-owed-rollups', text: deleteText, values });
  await db.query({ name: 'roll-up-owed', text: insertText, values });
}
