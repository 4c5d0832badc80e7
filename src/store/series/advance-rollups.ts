import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Queryable } from '../statements/queryable.ts';
import { writeRollups } from './rollup-lock.ts';
import { rolledNumbers } from './rollup-sql.ts';

export interface AdvanceOptions {
  /** The newest reading is that much ahead of what is rolled up, at least: most of what comes late has come by then. */
  readonly lagMs: number;
  /** Of 5 minutes. */
  readonly maxBuckets: number;
  /** How long to wait for those who write telemetry, in ms. */
  readonly awaitWritersMs: number;
}

/** `busy`: somebody has been writing telemetry for too long, to be tried again. `behind`: there is more to roll up. */
export type Advanced = 'nothing to do' | 'busy' | 'behind' | 'up to date';

export interface AdvanceResult {
  readonly state: Advanced;
  /** Event time that could be rolled up now and is not. */
  readonly behindSeconds: number;
}

/*
 * INV. A bucket before `rolled_to` that is not owed has exactly the roll-ups that its rows give. Three transactions, in
 * this order:
 * - `mark_from` is moved ahead. Whoever reads it from then on owes what it stores before it.
 * - Those who may have read it before are waited for: who writes telemetry holds a lock meanwhile, from before it reads
 *   the mark (`telemetry_owe_rollups` in the database). Nobody is held up: it is the same lock for all of them.
 * - Roll-ups are made and `rolled_to` follows. What those have written is seen, what came after is owed.
 * Cut off in between, more is owed than need be.
 */

/** Rolls up the next buckets. For one process at a time. */
export async function advanceRollups(db: pg.Client, options: AdvanceOptions): Promise<AdvanceResult> {
  const window = await nextWindow(db, options);
  if (window === undefined) return { state: 'nothing to do', behindSeconds: 0 };
  await db.query({
    text: 'update rollup_mark set mark_from = greatest(mark_from, $1::timestamptz)',
    values: [window.to],
  });
  if (!(await writersHaveEnded(db, options.awaitWritersMs)))
    return { state: 'busy', behindSeconds: secondsBetween(window.from, window.most) };
  await writeRollups(db, () =>
    db.query({ name: 'roll-up', text: rollUpText, values: [window.from, window.to] }),
  );
  const behindSeconds = secondsBetween(window.to, window.most);
  return { state: behindSeconds > 0 ? 'behind' : 'up to date', behindSeconds };
}

const secondsBetween = (from: Date, to: Date) => (to.getTime() - from.getTime()) / 1_000;

interface Window {
  readonly from: Date;
  readonly to: Date;
  /** Where it could end, were it not for `maxBuckets`. */
  readonly most: Date;
}

// Not past the newest reading: where nothing comes in, or an old backlog does, what is still to come is not late.
const windowText = `
with mark as (select rolled_to from rollup_mark),
bounds as (
  select
    (select rollup_bucket(time) from telemetry where time >= (select rolled_to from mark) order by time limit 1) as first,
    rollup_bucket((select time from telemetry where time <= now() order by time desc limit 1)
                  - $1 * interval '1 millisecond') as most
)
select first as "from", least(most, first + $2 * interval '5 minutes') as "to", most
from bounds where first < most`;

async function nextWindow(db: Queryable, { lagMs, maxBuckets }: AdvanceOptions): Promise<Window | undefined> {
  const { rows } = await db.query<Window>({ text: windowText, values: [lagMs, maxBuckets] });
  return rows[0];
}

// The lock that `telemetry_owe_rollups` takes, 7710240004, in two halves.
const writersText = `
select coalesce(array_agg(distinct virtualtransaction), '{}') as writers from pg_locks
where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
  and classid = 1 and objid = 3415272708 and objsubid = 1`;

const pollMs = 20;

/** Whether all who write telemetry now have ended within the time; those who begin later do not count. */
async function writersHaveEnded(db: Queryable, withinMs: number): Promise<boolean> {
  const writers = async () =>
    (await db.query<{ writers: string[] }>({ text: writersText })).rows[0]?.writers ?? [];
  let left = await writers();
  for (let waitedMs = 0; left.length > 0; waitedMs += pollMs) {
    if (waitedMs >= withinMs) return false;
    await pause(pollMs);
    const writing = new Set(await writers());
    left = left.filter((writer) => writing.has(writer));
  }
  return true;
}

// One that is there already was made before `rolled_to` was set back by hand.
const rollUpText = `
with rolled as (
  insert into telemetry_rollup as known (tenant_id, device_id, bucket, metric, count, sum, min, max)
  select tenant_id, device_id, bucket, metric, ${rolledNumbers}
  from (
    select t.tenant_id, t.device_id, rollup_bucket(t.time) as bucket, m.key as metric, m.value::numeric as value
    from telemetry t cross join lateral jsonb_each(t.metrics) m
    where t.time >= $1 and t.time < $2 and jsonb_typeof(m.value) = 'number'
  ) numbers
  group by tenant_id, device_id, bucket, metric
  order by tenant_id, device_id, bucket, metric
  on conflict (tenant_id, device_id, bucket, metric) do update
    set count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max
)
update rollup_mark set rolled_to = $2`;
