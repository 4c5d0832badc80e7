import type pg from 'pg';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { withTenant } from '../with-tenant.ts';
import { rolledNumbers, rolledRollups, rollupBucketMs } from './rollup-sql.ts';
import type { DeviceRange } from './select-numbers.ts';

export interface SeriesRequest extends DeviceRange {
  readonly metrics: readonly string[];
  /** Buckets are aligned to 1970-01-01 UTC. */
  readonly bucketMs: number;
}

/** One column a member, one element a bucket that has numbers. */
export interface Series {
  /** Where the buckets begin, ms since the epoch. */
  readonly t: number[];
  /** Exact, as text. */
  readonly min: string[];
  readonly max: string[];
  /** Null where a number is beyond 1e300. */
  readonly avg: (number | null)[];
  readonly count: number[];
}

/**
 * The numbers of a device's metrics in buckets of time, as a reader of the tenant: out of the roll-ups where these are
 * whole and up to date, out of the readings where not. The same as out of the readings alone.
 */
export function selectSeries(pool: pg.Pool, request: SeriesRequest): Promise<Map<string, Series>> {
  // The mark, what is owed and the rows belong to one moment.
  return withTenant(
    pool,
    request.tenantId,
    async (client) => inColumns(await selectBuckets(client, request, await planOf(client, request))),
    { snapshot: true },
  );
}

/** Event times in ms: from … to before. */
type Span = readonly [fromMs: number, toMs: number];

interface Plan {
  readonly rolled: Span;
  readonly owed: readonly Date[];
  readonly raw: readonly Span[];
}

async function planOf(db: Queryable, request: SeriesRequest): Promise<Plan> {
  const { fromMs, toMs, bucketMs } = request;
  const nothingRolled: Plan = { rolled: [toMs, toMs], owed: [], raw: [[fromMs, toMs]] };
  if (bucketMs % rollupBucketMs !== 0) return nothingRolled;
  const firstMs = Math.ceil(fromMs / rollupBucketMs) * rollupBucketMs;
  const endMs = Math.min(await rolledToMs(db), Math.floor(toMs / rollupBucketMs) * rollupBucketMs);
  if (endMs <= firstMs) return nothingRolled;
  const owed = await selectOwed(db, request, [firstMs, endMs]);
  const again = owed.map((bucket): Span => [bucket.getTime(), bucket.getTime() + rollupBucketMs]);
  const raw = joined([[fromMs, firstMs], ...again, [endMs, toMs]]);
  return { rolled: [firstMs, endMs], owed, raw };
}

async function rolledToMs(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ ms: number }>({
    text: `select (extract(epoch from rolled_to) * 1000)::float8 as ms from rollup_mark`,
  });
  return rows[0]?.ms ?? Number.NEGATIVE_INFINITY;
}

async function selectOwed(
  db: Queryable,
  { tenantId, deviceId }: { readonly tenantId: TenantId; readonly deviceId: DeviceId },
  [fromMs, toMs]: Span,
): Promise<Date[]> {
  const { rows } = await db.query<{ bucket: Date }>({
    text: `select distinct bucket from rollup_owed
      where tenant_id = $1 and device_id = $2 and bucket >= $3 and bucket < $4 order by bucket`,
    values: [tenantId, deviceId, new Date(fromMs), new Date(toMs)],
  });
  return rows.map(({ bucket }) => bucket);
}

/** In order, without empty ones; neighbours made one. */
function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const [fromMs, toMs] of spans) {
    const before = result.at(-1);
    if (toMs <= fromMs) continue;
    if (before !== undefined && before[1] === fromMs) result[result.length - 1] = [before[0], toMs];
    else result.push([fromMs, toMs]);
  }
  return result;
}

const aligned = (time: string) =>
  `date_bin($9::float8 * interval '1 millisecond', ${time}, timestamptz '1970-01-01 00:00:00+00')`;

// `offset 0` has each span read by itself, by the index of devices.
const text = `
with parts as (
  select ${aligned('bucket')} as at, metric, count, sum, min, max
  from telemetry_rollup
  where tenant_id = $1 and device_id = $2 and metric = any($3::text[])
    and bucket >= $4 and bucket < $5 and bucket <> all($6::timestamptz[])
  union all
  select at, metric, ${rolledNumbers}
  from (
    select ${aligned('t.time')} as at, wanted.metric,
           case when jsonb_typeof(t.metrics -> wanted.metric) = 'number'
                then (t.metrics -> wanted.metric)::numeric end as value
    from unnest($7::timestamptz[], $8::timestamptz[]) as span (since, until)
    cross join lateral (
      select time, metrics from telemetry
      where tenant_id = $1 and device_id = $2 and time >= span.since and time < span.until
      offset 0
    ) t
    cross join unnest($3::text[]) as wanted (metric)
  ) numbers
  where value is not null
  group by at, metric
), buckets as (
  select metric, at, ${rolledRollups} from parts group by metric, at
)
select metric, (extract(epoch from at) * 1000)::float8 as t, count::float8 as count, min::text as min, max::text as max,
       case when abs(sum / count) < 1e-300 then 0 else (sum / count)::float8 end as avg
from buckets order by metric, at`;

interface BucketRow {
  readonly metric: string;
  readonly t: number;
  readonly count: number;
  readonly min: string;
  readonly max: string;
  readonly avg: number | null;
}

async function selectBuckets(
  db: Queryable,
  { tenantId, deviceId, metrics, bucketMs }: SeriesRequest,
  { rolled, owed, raw }: Plan,
): Promise<BucketRow[]> {
  const { rows } = await db.query<BucketRow>({
    text,
    values: [
      tenantId,
      deviceId,
      metrics,
      new Date(rolled[0]),
      new Date(rolled[1]),
      owed,
      raw.map(([fromMs]) => new Date(fromMs)),
      raw.map(([, toMs]) => new Date(toMs)),
      bucketMs,
    ],
  });
  return rows;
}

function inColumns(rows: readonly BucketRow[]): Map<string, Series> {
  const found = new Map<string, Series>();
  for (const { metric, t, min, max, avg, count } of rows) {
    const series = found.get(metric) ?? { t: [], min: [], max: [], avg: [], count: [] };
    found.set(metric, series);
    series.t.push(t);
    series.min.push(min);
    series.max.push(max);
    series.avg.push(avg);
    series.count.push(count);
  }
  return found;
}
