import { expect, test } from 'bun:test';
import { toSafeNumber } from '../../src/store/types.ts';
import { until } from '../harness/until.ts';
import { rejectionOf, withDatabase } from './with-database.ts';

test('numbers past 2^53 and JSON arrive exactly', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    const { rows } = await pool.query(
      `select 9007199254740993 as big, '{"a":1e400,"b":9007199254740993}'::jsonb as doc, '1.50'::numeric as n`,
    );
    const { big, doc, n } = rows[0];
    expect(big).toBe(9007199254740993n);
    expect(doc).toContain('9007199254740993');
    expect(doc).toHaveLength(`{"a": 1${'0'.repeat(400)}, "b": 9007199254740993}`.length);
    expect(n).toBe('1.50');
    expect(() => toSafeNumber(big)).toThrow(RangeError);
    expect(toSafeNumber(-42n)).toBe(-42);
  }));

test('every connection carries its name and its timeouts', () =>
  withDatabase({ migrated: false, timeouts: { lockTimeoutMs: 1_234 } }, async ({ pool }) => {
    const { rows } = await pool.query(`select current_setting('application_name') as name,
      current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
      current_setting('idle_in_transaction_session_timeout') as idle`);
    expect(rows).toEqual([{ name: 'tributary test', statement: '30s', lock: '1234ms', idle: '1min' }]);
  }));

test('killed backends, idle and busy, fail their queries and nothing else', () =>
  withDatabase({ migrated: false }, async ({ pool, database }) => {
    const kill = () =>
      database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'tributary test'`,
      );
    const busy = pool.query('select pg_sleep(60)');
    const checkedOut = await pool.connect();
    await checkedOut.query('select 1');
    const failed = rejectionOf(busy);
    const ended = new Promise((resolve) => checkedOut.once('end', resolve));
    await until(
      async () => {
        await kill();
        return pool.idleCount === 0 && (await Promise.race([failed, Bun.sleep(5)])) !== undefined;
      },
      { what: 'the busy query failed' },
    );
    // On this one nobody waits for an answer: its end is an event that has to be heard.
    await ended;
    await rejectionOf(checkedOut.query('select 1'));
    checkedOut.release(true);
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await kill();
    await until(() => pool.idleCount === 0, {
      what: 'the pool has noticed that its idle connection is gone',
    });
    expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
  }));

test.each([
  ['off', 'on'],
  ['on', 'on'],
  ['remote_apply', 'remote_apply'],
])('a database set to synchronous_commit = %s commits with %s', (set, used) =>
  withDatabase({ migrated: false }, async ({ pool, database }) => {
    await database.pool.query(`alter database ${database.name} set synchronous_commit = ${set}`);
    const { rows } = await pool.query(`select current_setting('synchronous_commit') as used`);
    expect(rows).toEqual([{ used }]);
  }),
);
