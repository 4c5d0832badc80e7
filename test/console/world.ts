import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { Registry } from 'prom-client';
import { parseConfig } from '../../src/config/parse-config.ts';
import { type Console, consoleDefaults, createConsole } from '../../src/console/console.ts';
import type { ConsoleServices } from '../../src/console/context.ts';
import type { KeyedOperation, Operation } from '../../src/console/operation.ts';
import type { ReadingsFeed } from '../../src/console/readings-feed.ts';
import { createSecret, hashToken, operatorKeyPrefix, tenantKeyPrefix } from '../../src/model/token.ts';
import { createConsoleMetrics } from '../../src/observe/console.ts';
import { createInstallationService } from '../../src/roles/console/installation-service.ts';
import { createQuarantineService } from '../../src/roles/console/quarantine-service.ts';
import { createRouteService } from '../../src/roles/console/route-service.ts';
import { createPool } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { silentLog } from '../store/with-database.ts';

export type KeyName = 'operator' | 'read' | 'write' | 'admin' | 'foreign';

/** A console in this process, over a database with two tenants in it: `own` and `foreign`. */
export interface World {
  readonly console: Console;
  readonly pool: pg.Pool;
  readonly database: TestDatabase;
  readonly keys: Readonly<Record<KeyName, string>>;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** The console’s own, as Prometheus reads them. */
  metrics(): Promise<string>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly key?: KeyName | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text and bytes go out as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly address?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where it is not JSON. */
  readonly json: unknown;
}

/** In every row of the tenant `foreign`, and in no id: an answer that holds it gave away what is not the caller's. */
export const hidden = 'hidden-from-others';

export interface WorldOptions {
  readonly services?: (services: ConsoleServices) => ConsoleServices;
  readonly apiRate?: { readonly ratePerSecond: number; readonly burst: number };
  readonly signInRate?: { readonly ratePerSecond: number; readonly burst: number };
  readonly operations?: readonly Operation[];
  readonly now?: () => number;
  readonly trustProxy?: boolean;
}

/** Who follows hears one reading: of the tenant, or of the other where all are followed. */
const readingsAtOnce: ReadingsFeed = {
  isOpen: true,
  follow: ({ tenantId = 'foreign', deviceId = 'd1' }, onReading) => {
    onReading(`{"tenant_id":"${tenantId}","device_id":"${deviceId}","metrics":{"temp":22.50}}`);
    return () => undefined;
  },
};

const unlimited = { ratePerSecond: 1e6, burst: 1e6 };

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const database = await createTestDatabase();
  const pool = createPool({ databaseUrl: database.url, max: 4, name: 'tributary console', log: silentLog });
  const now = options.now ?? (() => performance.now());
  const installation = createInstallationService({
    config: parseConfig({}),
    pool,
    nats: () => undefined,
    durability: () => undefined,
    now,
    wallClock: Date.now,
  });
  const registry = new Registry();
  const services: ConsoleServices = {
    pool,
    log: silentLog,
    now,
    wallClock: Date.now,
    randomBytes,
    routes: createRouteService(
      parseConfig({
        TRIBUTARY_SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
        TRIBUTARY_ROUTES_PER_TENANT: '1000000',
      }),
      () => undefined,
      Date.now,
    ),
    quarantine: createQuarantineService({
      config: parseConfig({}),
      pool,
      publish: undefined,
      log: silentLog,
      random: Math.random,
    }),
    nats: () => undefined,
    stopping: new AbortController().signal,
    metrics: createConsoleMetrics(registry),
    installation,
    readings: readingsAtOnce,
    doors: { httpPort: 8080, mqttPort: 1883, publicHttpUrl: undefined, publicMqttUrl: undefined },
  };
  const console = createConsole({
    ...consoleDefaults,
    services: options.services?.(services) ?? services,
    version: '0.0.0',
    apiRate: options.apiRate ?? unlimited,
    signInRate: options.signInRate ?? unlimited,
    trustProxy: options.trustProxy ?? false,
    ...(options.operations === undefined ? {} : { operations: options.operations }),
  });
  await fill(pool);
  const keys = await makeKeys(pool);
  return {
    console,
    pool,
    database,
    keys,
    call: (method, path, call = {}) => send(console, keys, method, path, call),
    metrics: () => registry.metrics(),
    close: async () => {
      installation.drain();
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function send(
  console: Console,
  keys: World['keys'],
  method: string,
  path: string,
  { key, headers = {}, body, address = '192.0.2.1' }: CallOptions,
): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const request = new Request(`http://console.test/api/v1${path}`, {
    method,
    headers: {
      Host: 'console.test',
      ...(key === undefined ? {} : { Authorization: `Bearer ${keys[key]}` }),
      ...(body === undefined || isRaw ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  });
  const response = await console.fetch(request, address);
  const isStream = response.headers.get('Content-Type') === 'text/event-stream';
  const text = isStream ? await firstEvent(response) : await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

/** Its text; the stream is closed then. */
async function firstEvent({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text !== '') break;
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One row of everything for each tenant. */
async function fill(pool: pg.Pool): Promise<void> {
  await pool.query(`select ensure_telemetry_partition('2026-11-24')`);
  for (const [tenant, device, mark] of [
    ['own', 'own-1', 'plain'],
    ['foreign', 'foreign-1', hidden],
  ]) {
    await pool.query('insert into tenants (tenant_id, name) values ($1, $2)', [tenant, mark]);
    await pool.query(
      'insert into devices (tenant_id, device_id, site_id, token_sha256) values ($1, $2, $3, $4)',
      [tenant, device, mark, hashToken(`token of ${device}`)],
    );
    await pool.query(
      `insert into telemetry values ('2026-11-24 12:00:00.123456Z', gen_random_uuid(), $1, $2, $3, 'telemetry', 1,
         jsonb_build_object('temp', 12345678901234567890.5, 'state', $3::text), null, '2026-11-24 12:00:01Z', 1, 1)`,
      [tenant, device, mark],
    );
    await pool.query(`insert into device_state values ($1, $2, now(), 'telemetry', 'ONLINE', now())`, [
      tenant,
      device,
    ]);
    await pool.query(
      `insert into sensors values ($1, $2, 'state', 'string', null, now(), to_jsonb($3::text), now(), now(), 1)`,
      [tenant, device, mark],
    );
    await pool.query(
      `insert into quarantine (reason, detail, tenant_id, device_id, subject, arrived_at, envelope, identity,
         identity_kind, stream_epoch, stream_seq)
       values ('TOKEN_INVALID', $3, $1, $2, '', now(), convert_to($3, 'UTF8'), gen_random_uuid(), 'x', 1, 1)`,
      [tenant, device, mark],
    );
    await pool.query(
      `insert into audit_log (actor_kind, actor_key_id, actor_name, tenant_id, action, target)
       values ('operator', 1, $2, $1, 'test.fill', $2)`,
      [tenant, mark],
    );
  }
}

async function makeKeys(pool: pg.Pool): Promise<World['keys']> {
  const operator = createSecret(operatorKeyPrefix, randomBytes(32));
  await pool.query(`insert into operator_keys (name, key_sha256) values ('op', $1)`, [hashToken(operator)]);
  const ofTenant = async (tenant: string, level: string) => {
    const key = createSecret(tenantKeyPrefix, randomBytes(32));
    await pool.query('insert into tenant_keys (tenant_id, name, level, key_sha256) values ($1, $2, $2, $3)', [
      tenant,
      level,
      hashToken(key),
    ]);
    return key;
  };
  return {
    operator,
    read: await ofTenant('own', 'read'),
    write: await ofTenant('own', 'write'),
    admin: await ofTenant('own', 'admin'),
    foreign: await ofTenant('foreign', 'admin'),
  };
}

/** The least key that may call it. */
export function leastKey({ access }: KeyedOperation): KeyName {
  return access;
}
