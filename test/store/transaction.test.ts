import { expect, test } from 'bun:test';
import { classify } from '../../src/store/errors.ts';
import { createPool } from '../../src/store/pool.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { startSilentProxy } from './silent-proxy.ts';
import { rejectionOf, silentLog, withDatabase } from './with-database.ts';

test('commits what resolves and rolls back what throws, on a connection that stays usable', () =>
  withDatabase({ migrated: false, max: 1 }, async ({ pool }) => {
    await pool.query('create table kept (id int)');
    const result = await inTransaction(pool, async (client) => {
      await client.query('insert into kept values (1)');
      return 'done';
    });
    expect(result).toBe('done');
    const failing = inTransaction(pool, async (client) => {
      await client.query('insert into kept values (2)');
      throw new Error('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    expect((await pool.query('select id from kept')).rows).toEqual([{ id: 1 }]);
    expect(pool.totalCount).toBe(1);
  }));

test('a failed statement that the work passed over is not taken for a commit', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    const careless = inTransaction(pool, async (client) => {
      await client.query('create table never (id int)');
      await client.query('select 1/0').catch(() => undefined);
    });
    await expect(careless).rejects.toThrow('rolled back at its end');
  }));

test('a connection that broke inside is replaced', () =>
  withDatabase({ migrated: false, max: 1 }, async ({ pool }) => {
    const backend = async (): Promise<number> =>
      (await pool.query('select pg_backend_pid() as pid')).rows[0].pid;
    const before = await backend();
    const error = await rejectionOf(
      inTransaction(pool, (client) => client.query('select pg_terminate_backend(pg_backend_pid())')),
    );
    expect(classify(error)).toBe('retry');
    expect(await backend()).not.toBe(before);
  }));

test('a network that falls silent inside is noticed, and the next transaction has a connection of its own', async () => {
  await using database = await createTestDatabase({ migrated: false });
  await using proxy = await startSilentProxy(database.url);
  const pool = createPool({
    databaseUrl: proxy.url,
    max: 1,
    name: 'tributary test',
    log: silentLog,
    timeouts: { answerTimeoutMs: 200 },
  });
  const error = await rejectionOf(
    inTransaction(pool, async (client) => {
      await client.query('select 1');
      proxy.silence();
      await client.query('select 2');
    }),
  );
  expect(classify(error)).toBe('retry');
  expect(await inTransaction(pool, async (client) => (await client.query('select 3 as n')).rows)).toEqual([
    { n: 3 },
  ]);
  await pool.end();
  // The server does not know that the first one is gone.
  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
}, 30_000);
