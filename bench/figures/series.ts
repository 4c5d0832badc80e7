import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { createSecret, hashToken, operatorKeyPrefix } from '../../src/model/token.ts';
import { createClient } from '../../src/store/pool.ts';
import { advanceRollups } from '../../src/store/series/advance-rollups.ts';
import { startRole } from '../measure/roles.ts';
import { spreadOf } from '../measure/statistics.ts';
import type { Bench, Figure } from './figure.ts';
import { below } from './in-turn.ts';

const dayMs = 86_400_000;
const readingsPerDay = 86_400;
const points = 1_000;
const askedTimes = 20;

/** Time it takes to draw a month of a device that sends three numbers each second, as a page of the console asks for it. */
export const series: Figure = {
  name: 'series',
  title: `Series: a device at 1 Hz to ${points.toLocaleString('en')} points`,
  async run(bench) {
    const { servers, backend, effort } = bench;
    const days = effort.quick ? 3 : 30;
    await backend.clear();
    await storeReadings(backend.pool, days);
    const rolledMs = await rollUp(backend.pool);
    await backend.pool.query('vacuum analyze telemetry, telemetry_rollup');
    const key = await addOperatorKey(backend.pool);
    const console = await startRole(servers, 'console');
    try {
      const path = (metric: string) => seriesPath(days, metric);
      const ask = (metrics: string) => askFor(`http://127.0.0.1:${console.port}${path(metrics)}`, key);
      const one = await ask('metric=temp');
      const three = await ask('metric=temp&metric=humidity&metric=battery');
      const rawMs = await readRaw(bench, days);
      return {
        rows: [
          { label: `${days} days, one metric`, unit: 'ms', ours: spreadOf(one.slice(1)), wanted: below(200) },
          {
            label: `${days} days, three metrics`,
            unit: 'ms',
            ours: spreadOf(three.slice(1)),
            wanted: below(200),
          },
          {
            label: `${days} days, first time asked`,
            unit: 'ms',
            ours: spreadOf(one.slice(0, 1)),
            wanted: below(200),
          },
          { label: 'the same out of the messages', unit: 'ms', ours: spreadOf([rawMs]) },
          {
            label: 'rolling up',
            unit: 'µs per message',
            ours: spreadOf([(rolledMs * 1_000) / (days * readingsPerDay)]),
          },
        ],
        notes: [
          `${(days * readingsPerDay).toLocaleString('en')} messages of three numbers each; over HTTP from the console, ${askedTimes} times one after the other.`,
        ],
      };
    } finally {
      await console.stop();
    }
  },
};

async function storeReadings(pool: pg.Pool, days: number): Promise<void> {
  await pool.query(`insert into tenants (tenant_id) values ('t0') on conflict do nothing`);
  await pool.query(
    `insert into devices (tenant_id, device_id, site_id) values ('t0', 'd0', 's0') on conflict do nothing`,
  );
  await pool.query(
    `select ensure_telemetry_partition(now() - n * interval '1 day') from generate_series(0, $1::int) n`,
    [days],
  );
  await pool.query(`update rollup_mark set mark_from = '-infinity', rolled_to = '-infinity'`);
  for (let day = days; day > 0; day -= 1)
    await pool.query(
      `insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, seq, metrics, arrived_at,
                              stream_epoch, stream_seq)
       select at, gen_random_uuid(), 't0', 'd0', 's0', 'telemetry', n,
              jsonb_build_object('temp', round((20 + 5 * random())::numeric, 2), 'humidity', n % 80, 'battery', 3.5), at, 0, n
       from (select n, date_trunc('second', now()) - $1::int * interval '1 day' + n * interval '1 second' as at
             from generate_series(0, ${readingsPerDay - 1}) n) numbered`,
      [day],
    );
}

/** @returns how long it took, in ms */
async function rollUp(pool: pg.Pool): Promise<number> {
  const client = createClient(pool);
  await client.connect();
  try {
    const startedAt = performance.now();
    const options = { lagMs: 120_000, maxBuckets: 288, awaitWritersMs: 1_000 };
    while ((await advanceRollups(client, options)).state === 'behind');
    return performance.now() - startedAt;
  } finally {
    await client.end();
  }
}

async function addOperatorKey(pool: pg.Pool): Promise<string> {
  const key = createSecret(operatorKeyPrefix, randomBytes(32));
  await pool.query('insert into operator_keys (name, key_sha256) values ($1, $2)', [
    `bench ${key.slice(-8)}`,
    hashToken(key),
  ]);
  return key;
}

function seriesPath(days: number, metrics: string): string {
  const to = Date.now();
  const range = `from=${new Date(to - days * dayMs).toISOString()}&to=${new Date(to).toISOString()}`;
  return `/api/v1/tenants/t0/devices/d0/series?${range}&points=${points}&${metrics}`;
}

/** @returns how long each answer took, in ms */
async function askFor(url: string, key: string): Promise<number[]> {
  const took: number[] = [];
  for (let time = 0; time < askedTimes; time += 1) {
    const startedAt = performance.now();
    const response = await fetch(url, { headers: { Authorization: `Bearer ${key}` } });
    const text = await response.text();
    took.push(performance.now() - startedAt);
    if (!response.ok) throw new Error(`the console answered ${response.status}: ${text}`);
  }
  return took;
}

async function readRaw({ backend }: Bench, days: number): Promise<number> {
  const startedAt = performance.now();
  await backend.pool.query(
    `select date_bin(interval '45 minutes', time, timestamptz 'epoch') as at, count(*), min((metrics ->> 'temp')::numeric),
            max((metrics ->> 'temp')::numeric), avg((metrics ->> 'temp')::numeric)
     from telemetry where tenant_id = 't0' and device_id = 'd0' and time >= now() - $1::int * interval '1 day'
     group by at order by at`,
    [days],
  );
  return performance.now() - startedAt;
}
