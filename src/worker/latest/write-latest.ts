import type pg from 'pg';
import { deleteOwed } from '../../store/latest/owed.ts';
import { lockSensors, type SensorValue, upsertSensors } from '../../store/statements/upsert-sensors.ts';
import { inTransaction } from '../../store/transaction.ts';
import { isolate } from '../isolate.ts';

/**
 * Of 200,000 values PostgreSQL would read all sensors there are and join them, and spill that to disk. Planned for an array
 * of unknown length it looks each one up: at three million sensors 7 µs each instead of 12, at a few thousand no worse.
 */
const aboutFew = { text: 'set local plan_cache_mode = force_generic_plan' };

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
    await db.query(aboutFew);
    await lockSensors(db);
    const isolated = await isolate(db, values, (part) => upsertSensors(db, part, { registered: false }));
    await deleteOwed(db, owed);
    return isolated;
  });
  for (const { row, error } of refused) onRefused(row, error);
}
