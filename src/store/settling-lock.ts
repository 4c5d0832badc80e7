import type { Queryable } from './statements/queryable.ts';

/** Any constant does, as long as every process takes the same. */
const settlingLock = 7_710_240_003;

/**
 * How a settling transaction begins, in one round trip. What reads and writes claims holds this lock in common with
 * all others that do, from before its first snapshot to its end; whoever has the lock alone knows that each of them
 * sees what was committed before.
 */
export const beginSettling = `begin; select pg_advisory_xact_lock_shared(${settlingLock})`;

/** Inside a transaction: waits for those that settle, keeps others from beginning, until the transaction's end. */
export async function stopSettling(db: Queryable): Promise<void> {
  await db.query({ text: `select pg_advisory_xact_lock(${settlingLock})` });
}

/**
 * Returns when every settling transaction that was under way has ended. Others wait meanwhile, so it gives up soon.
 *
 * @throws 55P03 when one of them takes longer than `timeoutMs`
 */
export async function awaitSettlers(db: Queryable, timeoutMs: number): Promise<void> {
  // Several statements in one text are one transaction.
  await db.query({
    text: `set local lock_timeout = ${Math.ceil(timeoutMs)}; select pg_advisory_xact_lock(${settlingLock})`,
  });
}
