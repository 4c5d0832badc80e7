import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { startTestNats } from './nats.ts';
import { createTestDatabase } from './postgres.ts';
import { startTestCluster } from './postgres-cluster.ts';
import { until } from './until.ts';

test('a nats-server of the test keeps its streams over kill and start on the same port', async () => {
  await using nats = await startTestNats();
  const before = await connect({ servers: nats.url });
  await (await jetstreamManager(before)).streams.add({ name: 'KEPT', subjects: ['kept'] });
  await before.close();
  const firstPid = nats.pid();
  await nats.kill();
  await nats.start();
  const after = await connect({ servers: nats.url });
  expect((await (await jetstreamManager(after)).streams.info('KEPT')).config.name).toBe('KEPT');
  expect(nats.pid()).not.toBe(firstPid);
  await after.close();
});

test('a nats-server with a password turns away clients without it', async () => {
  await using nats = await startTestNats({ auth: { user: 'u', password: 'p@ss/word' } });
  await expect(connect({ servers: `127.0.0.1:${nats.port}`, reconnect: false })).rejects.toThrow(
    /authorization/i,
  );
  const allowed = await connect({ servers: `127.0.0.1:${nats.port}`, user: 'u', pass: 'p@ss/word' });
  await allowed.close();
});

test('nothing of a nats-server is left after its test', async () => {
  const nats = await startTestNats();
  await nats[Symbol.asyncDispose]();
  expect(existsSync(nats.storeDir)).toBe(false);
  const { promise, resolve } = Promise.withResolvers<string>();
  connectTcp(nats.port, '127.0.0.1').on('error', (error) => resolve(String(error)));
  expect(await promise).toContain('ECONNREFUSED');
});

test('a cluster of the test recovers what was committed before a kill', async () => {
  await using cluster = await startTestCluster();
  const before = new pg.Client({ connectionString: cluster.url });
  before.on('error', () => {});
  await before.connect();
  await before.query('CREATE TABLE kept AS SELECT 7 AS value');
  await before.query('CHECKPOINT');
  await cluster.kill();
  await cluster.start();
  const after = new pg.Client({ connectionString: cluster.url });
  await after.connect();
  expect((await after.query('SELECT value FROM kept')).rows).toEqual([{ value: 7 }]);
  await after.end();
});

test('databases of tests do not see each other and are dropped', async () => {
  const first = await createTestDatabase();
  const second = await createTestDatabase();
  await first.pool.query('CREATE TABLE only_here (id int)');
  await expect(second.pool.query('SELECT * FROM only_here')).rejects.toThrow(/does not exist/);
  await first[Symbol.asyncDispose]();
  const left = await second.pool.query('SELECT 1 FROM pg_database WHERE datname = $1', [first.name]);
  expect(left.rowCount).toBe(0);
  await second[Symbol.asyncDispose]();
});

test('a connection that the test forgot is an error that names it', async () => {
  const database = await createTestDatabase();
  const forgotten = new pg.Client({ connectionString: database.url, application_name: 'forgotten' });
  forgotten.on('error', () => {});
  await forgotten.connect();
  await forgotten.query('SELECT 42');
  await expect(database[Symbol.asyncDispose]()).rejects.toThrow(
    /1 connections leaked[\s\S]*forgotten: SELECT 42/,
  );
});

test('until gives up by name', async () => {
  const never = until(() => false, { what: 'pigs fly', timeoutMs: 30 });
  await expect(never).rejects.toThrow('not within 30 ms: pigs fly');
});
