import type pg from 'pg';
import type { Logger } from 'pino';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import { classify } from '../../store/errors.ts';
import { requireSchema } from '../../store/migrate.ts';

export interface WaitForSchemaOptions {
  readonly pool: pg.Pool;
  readonly log: Logger;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** Asked between two tries. */
  readonly isStopped: () => boolean;
}

const retry: BackoffOptions = { baseMs: 200, maxMs: 2_000 };

/**
 * Waits for the database however long it is away.
 *
 * @throws OlderSchemaError, NewerSchemaError, ChangedMigrationError, as soon as it answers with another schema than
 * this program's
 */
export async function waitForSchema({ pool, log, random, isStopped }: WaitForSchemaOptions): Promise<void> {
  for (let attempt = 0; !isStopped(); attempt += 1) {
    try {
      return await requireSchema(pool);
    } catch (error) {
      if (classify(error) !== 'retry') throw error;
      // Once is enough: the registry feed reports when the database comes.
      if (attempt === 0) log.warn({ event: 'database_away' }, `the database is not there: ${String(error)}`);
      await Bun.sleep(backoffMs(attempt, retry, random));
    }
  }
}
