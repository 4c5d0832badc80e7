import { expect, test } from 'bun:test';
import type pg from 'pg';
import { listOwed, owe } from '../../../src/store/latest/owed.ts';
import type { SensorValue } from '../../../src/store/statements/upsert-sensors.ts';
import { writeLatest } from '../../../src/worker/latest/write-latest.ts';
import { withDatabase } from '../../store/with-database.ts';

const values = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    tenantId: 't1',
    deviceId: `d${n}`,
    metric: 'temp',
    valueType: 'number' as const,
    unit: undefined,
    valueText: '21.5',
    timeUs: 1_780_000_000_000_000,
    arrivedAtMs: 1_780_000_000_000,
    seq: undefined,
    maxSensors: 10,
  }));

const rethrow = (_value: SensorValue, error: unknown) => {
  throw error;
};

test('sensors are looked up, however many are written at once', () =>
  withDatabase({ max: 1 }, async ({ pool }) => {
    await writeLatest(pool, values(5_000), [], rethrow);
    const { rows } = await pool.query(
      `select custom_plans::int as by_length, generic_plans::int as of_any_length from pg_prepared_statements
       where name = 'update-sensors'`,
    );
    expect(rows).toEqual([{ by_length: 0, of_any_length: 1 }]);
    const settings = await pool.query(
      `select current_setting('plan_cache_mode') as plans, current_setting('synchronous_commit') as commits`,
    );
    expect(settings.rows).toEqual([{ plans: 'auto', commits: 'on' }]);
  }));

async function addDevices(pool: pg.Pool, count: number): Promise<void> {
  await pool.query(`insert into tenants (tenant_id) values ('t1')`);
  await pool.query(
    `insert into devices (tenant_id, device_id, site_id) select 't1', 'd' || n, 's1' from generate_series(0, $1::int - 1) n`,
    [count],
  );
}

test('many values are written in several transactions, and what is owed is deleted with the last', () =>
  withDatabase({}, async ({ pool }) => {
    await addDevices(pool, 7);
    const owed = await owe(pool, [{ timeUs: 0, identity: '0'.repeat(32) }]);
    await writeLatest(pool, values(7), [owed], rethrow, { valuesPerTransaction: 3 });
    const { rows } = await pool.query(
      'select count(*)::int as sensors, count(distinct xmin::text)::int as transactions from sensors',
    );
    expect(rows).toEqual([{ sensors: 7, transactions: 3 }]);
    expect(await listOwed(pool)).toEqual([]);
  }));

test('when a later transaction fails, all is owed still, and the same call may be made again', () =>
  withDatabase({}, async ({ pool }) => {
    await addDevices(pool, 7);
    const owed = await owe(pool, [{ timeUs: 0, identity: '0'.repeat(32) }]);
    await pool.query(`create function fail() returns trigger language plpgsql as $$
      begin raise exception 'no room' using errcode = 'disk_full'; end $$`);
    await pool.query(`create trigger fail before insert on sensors for each row when (new.device_id = 'd5')
      execute function fail()`);
    const write = () => writeLatest(pool, values(7), [owed], rethrow, { valuesPerTransaction: 3 });
    await expect(write()).rejects.toThrow('no room');
    expect(await listOwed(pool)).toEqual([owed]);
    await pool.query('drop trigger fail on sensors');
    await write();
    expect(await listOwed(pool)).toEqual([]);
    const { rows } = await pool.query('select count(*)::int as sensors from sensors');
    expect(rows).toEqual([{ sensors: 7 }]);
  }));

test('what is owed for no value at all is deleted', () =>
  withDatabase({}, async ({ pool }) => {
    const owed = await owe(pool, [{ timeUs: 0, identity: '0'.repeat(32) }]);
    await writeLatest(pool, [], [owed], rethrow);
    expect(await listOwed(pool)).toEqual([]);
  }));
