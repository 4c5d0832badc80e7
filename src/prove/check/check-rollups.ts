import type pg from 'pg';
import { rolledNumbers } from '../../store/series/rollup-sql.ts';
import type { Violation } from '../violation.ts';

// In one statement, so of one moment: what is rolled up and not owed has to be right at any. A short run gets no further
// than a roll-up's lag, and is then told nothing.
const text = `
with made as (
  select tenant_id, device_id, bucket, metric, ${rolledNumbers}
  from (select t.tenant_id, t.device_id, rollup_bucket(t.time) as bucket, m.key as metric, m.value::numeric as value
        from telemetry t cross join lateral jsonb_each(t.metrics) m
        where t.time < (select rolled_to from rollup_mark) and jsonb_typeof(m.value) = 'number') numbers
  group by tenant_id, device_id, bucket, metric),
owed as (
  select distinct tenant_id, device_id, bucket, true as is_owed from rollup_owed)
select tenant_id || '/' || device_id || ' ' || metric as series, bucket::text as bucket,
       r.count::float8 as rolled, m.count::float8 as rows
from made m full join (select * from telemetry_rollup where bucket < (select rolled_to from rollup_mark)) r
    using (tenant_id, device_id, bucket, metric)
  left join owed using (tenant_id, device_id, bucket)
where is_owed is null and (r.count, r.sum, r.min, r.max) is distinct from (m.count, m.sum, m.min, m.max)
order by 1, 2 limit 20`;

interface Row {
  readonly series: string;
  readonly bucket: string;
  readonly rolled: number | null;
  readonly rows: number | null;
}

/** Roll-ups say what their readings say. */
export async function checkRollups(pool: pg.Pool): Promise<Violation[]> {
  const { rows } = await pool.query<Row>(text);
  return rows.map(({ series, bucket, rolled, rows: own }) => ({
    kind: 'latest',
    what: `the roll-up of ${series} at ${bucket} is of ${rolled ?? 'no'} numbers, its rows hold ${own ?? 'none'}, or their sum or bounds differ`,
  }));
}
