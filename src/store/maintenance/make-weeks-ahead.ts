import type { Queryable } from '../statements/queryable.ts';

/** Makes the partitions of this week and of the next ones. @returns how many were missing. */
export async function makeWeeksAhead(db: Queryable, weeksAhead: number): Promise<number> {
  const { rows } = await db.query<{ made: number }>({
    text: `select count(*) filter (where answer = 'made')::int as made
      from generate_series(0, $1::int) as later,
        ensure_telemetry_partition(now() + later * interval '7 days') as answer`,
    values: [weeksAhead],
  });
  return rows[0]?.made ?? 0;
}
