import type pg from 'pg';
import { deleteOwed } from '../../store/latest/owed.ts';
import { lockSensors, type SensorValue, upsertSensors } from '../../store/statements/upsert-sensors.ts';
import { inTransaction } from '../../store/transaction.ts';
import { isolate } from '../isolate.ts';

export interface WriteLatestOptions {
  /**
   * Of one transaction. Rows that it has updated take room on their page until it has ended, and so do those that anybody
   * updates meanwhile: where there is none left, a row moves to another page and all indexes with it.
   */
  readonly valuesPerTransaction: number;
}

export const writeLatestDefaults: WriteLatestOptions = { valuesPerTransaction: 5_000 };

/**
 * Writes latest values, each sensor's once, and then deletes what was owed for them, with the last of them. A value that
 * the database refuses is left out and told: it must not hold up the others.
 * @throws what speaks of the server; nothing is deleted then, and the same call may be made again
 */
export async function writeLatest(
  pool: pg.Pool,
  values: readonly SensorValue[],
  owed: readonly string[],
  onRefused: (value: SensorValue, error: unknown) => void,
  { valuesPerTransaction }: WriteLatestOptions = writeLatestDefaults,
): Promise<void> {
  const refused: { readonly row: SensorValue; readonly error: unknown }[] = [];
  for (let first = 0; first === 0 || first < values.length; first += valuesPerTransaction) {
    const part = values.slice(first, first + valuesPerTransaction);
    const isLast = first + valuesPerTransaction >= values.length;
    await inTransaction(pool, async (db) => {
      await db.query(isLast ? planned : plannedAndUnhurried);
      await lockSensors(db);
      const isolated = await isolate(db, part, (some) => upsertSensors(db, some, { registered: false }));
      refused.push(...isolated.refused);
      if (isLast) await deleteOwed(db, owed);
    });
  }
  for (const { row, error } of refused) onRefused(row, error);
}

/**
 * For many values PostgreSQL would read all sensors there are and join them. Planned for an array of unknown length it
 * looks each one up.
 */
const planned = { text: `select set_config('plan_cache_mode', 'force_generic_plan', true)` };

/** And COMMIT does not wait for the disk: what is owed is deleted by a later one that does. */
const plannedAndUnhurried = {
  text: `select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('synchronous_commit', 'off', true)`,
};
