import type pg from 'pg';

/**
 * Roll-ups are written with this lock alone, and readings are deleted together with their roll-ups with it in common: a
 * roller that has read rows before they were deleted writes nothing of them after. Any constant does.
 */
const rollupLock = 7_710_240_006;

/** How a transaction begins that deletes readings and their roll-ups: its deletions are owed no new ones. */
export const beginBulkDelete = `begin; set local tributary.owe_rollups = 'off'; select pg_advisory_xact_lock_shared(${rollupLock})`;

/** Runs `write` in a transaction, once the bulk deletions that are under way have ended. */
export async function writeRollups<T>(client: pg.Client, write: () => Promise<T>): Promise<T> {
  await client.query(`begin; select pg_advisory_xact_lock(${rollupLock})`);
  try {
    const result = await write();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
