import { expect, test } from 'bun:test';
import pg from 'pg';
import { classify, isMissingPartition, sqlstateOf } from '../../src/store/errors.ts';
import { createPool } from '../../src/store/pool.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { startTestCluster } from '../harness/postgres-cluster.ts';
import { rejectionOf, silentLog, withDatabase } from './with-database.ts';

const deepJson = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const insertReading = (values: string) => `insert into telemetry
  (time, identity, tenant_id, device_id, site_id, msg_type, metrics, arrived_at, stream_epoch, stream_seq)
  values (${values}, gen_random_uuid(), 't', 'd', 's', 'telemetry', '{}', now(), 1, 1)`;

const ofRows: readonly [what: string, sqlstate: string, sql: string, values: readonly unknown[]][] = [
  ['NUL as an escape in jsonb', '22P05', 'select $1::jsonb', ['{"a":"\\u0000"}']],
  ['NUL in text', '22021', 'select $1::text', ['a\0b']],
  ['a lone surrogate in jsonb', '22P02', 'select $1::jsonb', ['{"a":"\\ud800"}']],
  ['1e400 as a double', '22003', 'select $1::float8', ['1e400']],
  ['no partition for the time', '23514', insertReading(`'1970-01-01'`), []],
  ['a failed check', '23514', `insert into tenants (tenant_id) values ('')`, []],
  ['JSON nested 20,000 deep', '54001', 'select $1::jsonb', [deepJson]],
  [
    'a key too large for its index',
    '54000',
    `insert into sensors select 't', 'd',
    string_agg(md5(i::text), ''), 'number', null, now(), '1', now(), now() from generate_series(1, 9000) i`,
    [],
  ],
];

test.each(ofRows)('%s (%s) speaks of the row', (_what, sqlstate, sql, values) =>
  withDatabase({}, async ({ pool }) => {
    const error = await rejectionOf(pool.query(sql, [...values]));
    expect(sqlstateOf(error)).toBe(sqlstate);
    expect(classify(error)).toBe('row');
  }),
);

test('a missing partition is told from a failed check', () =>
  withDatabase({}, async ({ pool }) => {
    const missing = await rejectionOf(pool.query(insertReading(`'1970-01-01'`)));
    const check = await rejectionOf(pool.query(`insert into tenants (tenant_id) values ('')`));
    expect([isMissingPartition(missing), isMissingPartition(check)]).toEqual([true, false]);
  }));

const ofServer: readonly [what: string, sqlstate: string, sql: string][] = [
  ['a statement timeout', '57014', `set statement_timeout = 5; select pg_sleep(5)`],
  ['a read-only server', '25006', 'start transaction read only; create table t (id int)'],
  ['a server that is shutting down', '57P01', `do $$ begin raise sqlstate '57P01'; end $$`],
  ['a full disk', '53100', `do $$ begin raise sqlstate '53100'; end $$`],
  ['a deadlock', '40P01', `do $$ begin raise sqlstate '40P01'; end $$`],
  ['a failed serialization', '40001', `do $$ begin raise sqlstate '40001'; end $$`],
];

test.each(ofServer)('%s (%s) speaks of the server', (_what, sqlstate, sql) =>
  withDatabase({ migrated: false, max: 1 }, async ({ pool }) => {
    const error = await rejectionOf(pool.query(sql));
    expect(sqlstateOf(error)).toBe(sqlstate);
    expect(classify(error)).toBe('retry');
  }),
);

test('a lock that is not to be had (55P03) speaks of the server', () =>
  withDatabase({ timeouts: { lockTimeoutMs: 20 } }, async ({ pool }) => {
    await inTransaction(pool, async (client) => {
      await client.query('lock table tenants');
      const waiting = await rejectionOf(pool.query('select from tenants'));
      expect([sqlstateOf(waiting), classify(waiting)]).toEqual(['55P03', 'retry']);
    });
  }));

test('a wrong table, a wrong password and a wrong database speak of neither', () =>
  withDatabase({ migrated: false }, async ({ pool, database }) => {
    expect(classify(await rejectionOf(pool.query('select from no_such_table')))).toBe('fatal');
    const elsewhere = new URL(database.url);
    elsewhere.pathname = '/no_such_database';
    const client = new pg.Client({ connectionString: elsewhere.href });
    const error = await rejectionOf(client.connect());
    expect([sqlstateOf(error), classify(error)]).toEqual(['3D000', 'fatal']);
    expect(classify(new TypeError('undefined is not a function'))).toBe('fatal');
    expect(classify('a string')).toBe('fatal');
  }));

test('a server that stops, is away and recovers is always worth another try', async () => {
  await using cluster = await startTestCluster();
  const pool = createPool({ databaseUrl: cluster.url, max: 4, name: 'errors test', log: silentLog });
  try {
    const terminated = await rejectionOf(pool.query('select pg_terminate_backend(pg_backend_pid())'));
    expect([sqlstateOf(terminated), classify(terminated)]).toEqual(['57P01', 'retry']);
    const cut = rejectionOf(pool.query('select pg_sleep(60)'));
    await cluster.kill();
    // However the connection's end was noticed: 57P02, ECONNRESET, or without any code.
    expect(classify(await cut)).toBe('retry');
    const refused = await rejectionOf(pool.query('select 1'));
    expect(String(refused)).toContain('ECONNREFUSED');
    expect(classify(refused)).toBe('retry');
    await cluster.start();
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await pool.end();
  }
});

test('the driver’s errors without a code, and a name or socket that is not there, are worth another try', async () => {
  const messages = [
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'Client has encountered a connection error and is not queryable',
  ];
  for (const message of messages) expect(classify(new Error(message))).toBe('retry');
  expect(classify(new Error('Cannot use a pool after calling end on the pool'))).toBe('fatal');
  for (const host of ['nowhere.invalid', '/no/such/socket']) {
    const client = new pg.Client({ host, user: 'x', database: 'x' });
    expect(classify(await rejectionOf(client.connect()))).toBe('retry');
  }
});
