import { expect, test } from 'bun:test';
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

test('sensors are looked up, however many are written at once', () =>
  withDatabase({ max: 1 }, async ({ pool }) => {
    await writeLatest(pool, values(5_000), [], (_value, error) => {
      throw error;
    });
    const { rows } = await pool.query(
      `select custom_plans::int as by_length, generic_plans::int as of_any_length from pg_prepared_statements
       where name = 'update-sensors'`,
    );
    expect(rows).toEqual([{ by_length: 0, of_any_length: 1 }]);
    expect((await pool.query('show plan_cache_mode')).rows).toEqual([{ plan_cache_mode: 'auto' }]);
  }));
