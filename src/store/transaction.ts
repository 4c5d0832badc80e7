import type pg from 'pg';
import { withDeadline } from '../lib/deadline.ts';

/** Of a rollback: behind a query that is never answered it would not even be sent. */
const rollbackTimeoutMs = 5_000;

/**
 * Runs `work` in one transaction on one connection: commits when it resolves, rolls back when it throws, and
 * passes its result or its error on.
 *
 * `begin` may set the transaction up in the same round trip: `begin; set local …`.
 * An error of COMMIT itself leaves the outcome open when the connection was lost: it may have happened.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  begin = 'begin',
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await commit(client);
    return result;
  } catch (error) {
    broken = await rollBack(client);
    throw error;
  } finally {
    // With an error the pool closes the connection; the next caller gets a new one.
    client.release(broken);
  }
}

/** PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK and no error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit');
  if (command === 'COMMIT') return;
  throw new Error(
    'The transaction was rolled back at its end: an error inside it was caught and passed over',
  );
}

/** Resolves to what makes the connection unfit for further use; also harmless after the transaction's end. */
async function rollBack(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await withDeadline(client.query('rollback'), rollbackTimeoutMs, () => {
      throw new Error(`no answer to the rollback within ${rollbackTimeoutMs} ms`);
    });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
