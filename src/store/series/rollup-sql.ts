/**
 * What a roll-up holds of the numbers `value`, as SQL. Exact (numeric), so that it is the same however rows are grouped.
 * A sum past 1e300 would leave a double behind, and past 1e131071 numeric: then there is none.
 */
export const rolledNumbers = `
  count(*) as count,
  case when max(value) <= 1e300 and min(value) >= -1e300
       then sum(value) filter (where value between -1e300 and 1e300) end as sum,
  min(value) as min, max(value) as max`;

/** The same of roll-ups. */
export const rolledRollups = `
  sum(count) as count, case when count(*) = count(sum) then sum(sum) end as sum, min(min) as min, max(max) as max`;

export const rollupBucketMs = 300_000;
