import type pg from 'pg';
import { deleteOwed } from '../../store/latest/owed.ts';
import { lockSensors, type SensorValue, upsertSensors } from '../../store/statements/upsert-sensors.ts';
import { inTransaction } from '../../store/transaction.ts';
import { isolate } from '../isolate.ts';

/**
 * Writes latest values, each sensor's once, and deletes what was owed for them, in one transaction. A value that the
 * database refuses is left out and told: it must not hold up the others.
 * @throws what speaks of the server; nothing is written or deleted then, and the same call may be made again
 */
export async function writeLatest(
  pool: pg.Pool,
  values: readonly SensorValue[],
  owed: readonly string[],
  onRefused: (value: SensorValue, error: unknown) => void,
): Promise<void> {
  const { refused } = await inTransaction(pool, async (db) => {
    await lockSensors(db);
    const isolated = await isolate(db, values, (part) => upsertSensors(db, part, { registered: false }));
    await deleteOwed(db, owed);
    return isolated;
  });
  for (const { row, error } of refused) onRefused(row, error);
}
