import type pg from 'pg';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import { createClient } from '../../../src/store/pool.ts';
import { type Advanced, advanceRollups } from '../../../src/store/series/advance-rollups.ts';
import { rollUpOwed } from '../../../src/store/series/roll-up-owed.ts';
import { type Series, type SeriesRequest, selectSeries } from '../../../src/store/series/select-series.ts';

export const bucketMs = 300_000;

/** A reading of `acme`; its one number is in hundredths. Any two with one id are the same message. */
export interface Sent {
  readonly id: number;
  readonly device: 'd1' | 'd2';
  readonly atMs: number;
  readonly hundredths: number;
}

export interface SeriesWorld extends AsyncDisposable {
  store(sent: readonly Sent[], db?: pg.Pool | pg.PoolClient | pg.Client): Promise<void>;
  advance(options?: { lagMs?: number; maxBuckets?: number }): Promise<Advanced>;
  settleOwed(maxMarks?: number): Promise<number>;
  read(device: string, fromMs: number, toMs: number, bucketMs: number): Promise<Series | undefined>;
}

/** A roller that the test moves by hand. */
export async function createSeriesWorld(pool: pg.Pool): Promise<SeriesWorld> {
  const client = createClient(pool);
  await client.connect();
  await pool.query(
    `select ensure_telemetry_partition(now() - n * interval '7 days') from generate_series(-1, 2) n`,
  );
  return {
    store: async (sent, db = pool) => {
      await db.query(
        `insert into telemetry
         select at, lpad(to_hex(id), 32, '0')::uuid, 'acme', device, 's1', 'telemetry', id,
                jsonb_build_object('temp', hundredths / 100.0, 'door', 'open', 'on', true), null, now(), 1, id
         from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::bigint[]) as s (id, device, at, hundredths)
         on conflict do nothing`,
        [
          sent.map(({ id }) => id),
          sent.map(({ device }) => device),
          sent.map(({ atMs }) => new Date(atMs)),
          sent.map(({ hundredths }) => hundredths),
        ],
      );
    },
    advance: async ({ lagMs = 120_000, maxBuckets = 12 } = {}) =>
      (await advanceRollups(client, { lagMs, maxBuckets, awaitWritersMs: 100 })).state,
    settleOwed: (maxMarks = 1_000) => rollUpOwed(client, maxMarks),
    read: async (device, fromMs, toMs, length) =>
      (await selectSeries(pool, requestOf(device, fromMs, toMs, length))).get('temp'),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

const requestOf = (device: string, fromMs: number, toMs: number, length: number): SeriesRequest => ({
  tenantId: 'acme' as TenantId,
  deviceId: device as DeviceId,
  metrics: ['temp', 'door'],
  fromMs,
  toMs,
  bucketMs: length,
});

/** What the series has to be, reckoned without a database. */
export function reckoned(
  sent: Iterable<Sent>,
  fromMs: number,
  toMs: number,
  length: number,
): Series | undefined {
  const buckets = new Map<number, number[]>();
  for (const { atMs, hundredths } of sent) {
    if (atMs < fromMs || atMs >= toMs) continue;
    const at = Math.floor(atMs / length) * length;
    buckets.set(at, [...(buckets.get(at) ?? []), hundredths]);
  }
  if (buckets.size === 0) return undefined;
  const inOrder = [...buckets].toSorted(([a], [b]) => a - b);
  const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
  return {
    t: inOrder.map(([at]) => at),
    min: inOrder.map(([, values]) => decimal(Math.min(...values))),
    max: inOrder.map(([, values]) => decimal(Math.max(...values))),
    avg: inOrder.map(([, values]) => sum(values) / 100 / values.length),
    count: inOrder.map(([, values]) => values.length),
  };
}

/** Averages to 12 digits: a double's last ones depend on the order of the division. */
export function rounded(series: Series | undefined): Series | undefined {
  if (series === undefined) return undefined;
  return {
    ...series,
    min: series.min.map((text) => decimal(Math.round(Number(text) * 100))),
    max: series.max.map((text) => decimal(Math.round(Number(text) * 100))),
    avg: series.avg.map((avg) => (avg === null ? null : Number(avg.toPrecision(12)) + 0)),
  };
}

const decimal = (hundredths: number): string => (hundredths / 100).toFixed(2);
