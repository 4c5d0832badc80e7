import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import pino from 'pino';
import { migrate } from '../../src/store/migrate.ts';
import { createPool } from '../../src/store/pool.ts';
import { connectNats } from '../../src/stream/connection.ts';
import { requestApi } from '../../src/stream/jetstream-api.ts';
import { streamInfo } from '../../src/stream/stream-info.ts';
import { routesStreamName, streamName } from '../../src/stream/subjects.ts';
import { ensureTopology } from '../../src/stream/topology.ts';
import { type FleetSpec, metricNames, tokenHash } from '../load/fleet.ts';
import { streamLimits } from './roles.ts';
import type { Servers } from './servers.ts';

/** The harness's own look at stream and database. */
export interface Backend {
  readonly pool: pg.Pool;
  /** Messages in TELEMETRY: work-queue, so whatever is not acknowledged yet. */
  backlog(): Promise<number>;
  /** Sum of all outcomes so far, canaries apart: what has been committed. */
  settled(): Promise<number>;
  /**
   * Neither a message nor a row of one is left; the registry stays. `what was settled` keeps telemetry and sensors, for
   * another round on a large table.
   */
  clear(what?: 'everything' | 'what was settled'): Promise<void>;
  /** Empties ROUTES. */
  purgeRoutes(): Promise<void>;
  /** Registers the fleet, in place of another. */
  register(fleet: FleetSpec): Promise<void>;
  /** Fills telemetry with so many rows of the fleet, spread over the last hours of this week. */
  storeRows(rows: number, fleet: FleetSpec): Promise<void>;
  /** Gives every device its state and sensors, as a fleet has that has been sending for a while. */
  knowSensors(fleet: FleetSpec): Promise<void>;
  close(): Promise<void>;
}

const log = pino({ level: 'silent' });
/** Making millions of rows takes as long as it takes. */
const unhurried = { statementTimeoutMs: 0, lockTimeoutMs: 60_000, answerTimeoutMs: 2 ** 31 - 1 };

export async function openBackend(servers: Servers): Promise<Backend> {
  const pool = createPool({
    databaseUrl: servers.databaseUrl,
    max: 3,
    name: 'bench',
    log,
    timeouts: unhurried,
  });
  await migrate(pool);
  const nc = await connectNats({ url: servers.natsUrl, name: 'bench', log });
  await ensureTopology(nc, streamLimits);
  return {
    pool,
    backlog: async () => (await streamInfo(nc, streamName))?.state.messages ?? 0,
    settled: () => countSettled(pool),
    clear: (what = 'everything') => clear(pool, nc, what),
    purgeRoutes: async () => void (await requestApi(nc, `STREAM.PURGE.${routesStreamName}`)),
    storeRows: (rows, fleet) => storeRows(pool, rows, fleet),
    register: (fleet) => register(pool, fleet),
    knowSensors: (fleet) => knowSensors(pool, fleet),
    async close() {
      await nc.close();
      await pool.end();
    },
  };
}

async function countSettled(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ settled: string }>(
    'select coalesce(sum(stored + duplicates + quarantined), 0)::text as settled from ledger',
  );
  return Number(rows[0]?.settled ?? 0);
}

async function clear(
  pool: pg.Pool,
  nc: NatsConnection,
  what: 'everything' | 'what was settled',
): Promise<void> {
  await requestApi(nc, `STREAM.PURGE.${streamName}`);
  await pool.query('truncate claims, ledger, message_keys, quarantine, latest_owed');
  if (what === 'everything')
    await pool.query('truncate telemetry, telemetry_rollup, rollup_owed, device_state, sensors');
  await pool.query('checkpoint');
}

const rowsPerInsert = 500_000;

async function storeRows(pool: pg.Pool, rows: number, fleet: FleetSpec): Promise<void> {
  await pool.query('select ensure_telemetry_partition(now())');
  // Without the trigger that owes their roll-ups: a table that has grown for long has been rolled up.
  const client = await pool.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (let first = 0; first < rows; first += rowsPerInsert) {
      await client.query(
        `insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, metrics, arrived_at,
                                stream_epoch, stream_seq)
         select at, gen_random_uuid(), 't' || n % $1, 'd' || n % $2, 'site-' || n % $1, 'telemetry',
                jsonb_build_object('temp', n % 30, 'humidity', n % 80, 'battery', 3.5), at, 0, n
         from (select n, date_trunc('week', now()) + n * interval '1 ms' as at
               from generate_series($3::bigint, $4::bigint) n) numbered`,
        [fleet.tenants, fleet.devices, first, Math.min(rows, first + rowsPerInsert) - 1],
      );
    }
  } finally {
    client.release(true);
  }
  // And the roller is told so: it would roll up all of them beside what is measured.
  await pool.query(
    `update rollup_mark set mark_from = newest.bucket, rolled_to = newest.bucket
     from (select rollup_bucket(least(max(time), now())) as bucket from telemetry) newest`,
  );
  await pool.query('vacuum analyze telemetry');
}

const devicesPerInsert = 50_000;

async function register(pool: pg.Pool, fleet: FleetSpec): Promise<void> {
  await pool.query('delete from devices');
  // Nobody runs who has yet to learn of these.
  await pool.query('truncate registry_tombstones');
  await pool.query(
    `insert into tenants (tenant_id) select 't' || n from generate_series(0, $1::int - 1) n on conflict do nothing`,
    [fleet.tenants],
  );
  for (let first = 0; first < fleet.devices; first += devicesPerInsert) {
    const numbers = Array.from(
      { length: Math.min(devicesPerInsert, fleet.devices - first) },
      (_, n) => first + n,
    );
    await pool.query(
      `insert into devices (tenant_id, device_id, site_id, token_sha256)
       select 't' || n % $1, 'd' || n, 'site-' || n % $1, hash from unnest($2::int[], $3::bytea[]) as u (n, hash)`,
      [fleet.tenants, numbers, numbers.map(tokenHash)],
    );
  }
  await pool.query('vacuum analyze devices');
}

async function knowSensors(pool: pg.Pool, fleet: FleetSpec): Promise<void> {
  const long = `timestamptz '2020-01-01'`;
  await pool.query(
    `insert into sensors (tenant_id, device_id, metric, value_type, discovered_at, latest, latest_time, latest_order)
     select 't' || n % $1, 'd' || n, metric, 'number', ${long}, '0', ${long}, ${long}
     from generate_series(0, $2::int - 1) n cross join unnest($3::text[]) metric`,
    [fleet.tenants, fleet.devices, metricNames],
  );
  // Seen just now: of devices that have been silent for long, the worker would first make each OFFLINE.
  await pool.query(
    `insert into device_state (tenant_id, device_id, last_seen_at, last_msg_type, status, status_since)
     select 't' || n % $1, 'd' || n, now(), 'telemetry', 'ONLINE', ${long} from generate_series(0, $2::int - 1) n`,
    [fleet.tenants, fleet.devices],
  );
  await pool.query('vacuum analyze device_state');
  await pool.query('vacuum analyze sensors');
  await pool.query('checkpoint');
}
