import type { Queryable } from '../statements/queryable.ts';

export interface SeriesRange {
  /** Undefined: of all tenants. */
  readonly tenantId: string | undefined;
  /** Milliseconds since the epoch; from here, and up to before there. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly bucketMs: number;
}

export interface SeriesPoint {
  readonly reason: string;
  /** The bucket's begin, in ms since the epoch. */
  readonly at: number;
  readonly count: number;
}

/** What is held, by reason of now and by when it came into the quarantine; buckets begin at multiples of their length. */
export async function selectQuarantineSeries(
  db: Queryable,
  { tenantId, fromMs, toMs, bucketMs }: SeriesRange,
): Promise<SeriesPoint[]> {
  const { rows } = await db.query<SeriesPoint>({
    text: `select reason, (floor(extract(epoch from quarantined_at) * 1000 / $4::float8) * $4::float8)::float8 as at,
        count(*)::int as count
      from quarantine
      where ($1::text is null or tenant_id = $1)
        and quarantined_at >= timestamptz 'epoch' + $2::float8 * interval '1 millisecond'
        and quarantined_at < timestamptz 'epoch' + $3::float8 * interval '1 millisecond'
      group by 1, 2 order by 1, 2`,
    values: [tenantId ?? null, fromMs, toMs, bucketMs],
  });
  return rows;
}
