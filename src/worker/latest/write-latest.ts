import type pg from 'pg';
import { classify } from '../errors.ts';
import { lockSensors, type SensorValue, upsertSensors } from '../statements/upsert-sensors.ts';
import { inTransaction } from '../transaction.ts';
import { deleteOwed } from './owed.ts';

/**
 * Writes latest values, each sensor's once, and deletes what was owed for them, in one transaction. A value that the
 * database refuses is left out and told: it must not hold up the others.
 * @throws what speaks of the server; nothing is deleted then, and the same call may be made again
 */
export async function writeLatest(
  pool: pg.Pool,
  values: readonly SensorValue[],
  owed: readonly string[],
  onRefused: (value: SensorValue, error: unknown) => void,
): Promise<void> {
  try {
    await inTransaction(pool, async (db) => {
      await lockSensors(db);
      if (values.length > 0) await upsertSensors(db, values, { registered: false });
      if (owed.length > 0) await deleteOwed(db, owed);
    });
  } catch (error) {
    const [only] = values;
    if (classify(error) !== 'row' || only === undefined) throw error;
    if (values.length === 1) {
      onRefused(only, error);
      return writeLatest(pool, [], owed, onRefused);
    }
    const middle = values.length >> 1;
    await writeLatest(pool, values.slice(0, middle), [], onRefused);
    await writeLatest(pool, values.slice(middle), owed, onRefused);
  }
}
