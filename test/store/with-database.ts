import type pg from 'pg';
import pino from 'pino';
import { createPool, type PoolTimeouts } from '../../src/store/pool.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';

export const silentLog = pino({ level: 'silent' });

export interface DatabaseUnderTest {
  /** The product's pool. */
  readonly pool: pg.Pool;
  readonly database: TestDatabase;
}

export interface WithDatabaseOptions {
  readonly migrated?: boolean;
  readonly max?: number;
  readonly timeouts?: Partial<PoolTimeouts>;
}

/** A database of the test's own and the product's pool to it; both end with the test. */
export async function withDatabase(
  options: WithDatabaseOptions,
  use: (given: DatabaseUnderTest) => Promise<void>,
): Promise<void> {
  await using database = await createTestDatabase({ migrated: options.migrated ?? true });
  const pool = createPool({
    databaseUrl: database.url,
    max: options.max ?? 4,
    name: 'tributary test',
    log: silentLog,
    timeouts: options.timeouts ?? {},
  });
  try {
    await use({ pool, database });
  } finally {
    await pool.end();
  }
}

/** What a promise was rejected with; fails when it was not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => ({ resolved: true }) as const,
    (error: unknown) => ({ resolved: false, error }) as const,
  );
  if (outcome.resolved) throw new Error('was expected to be rejected and resolved');
  return outcome.error;
}
