import { explainPostgresFailure } from '../store/explain-failure.ts';
import { CliError, exitCodes } from './exit-codes.ts';

/** A failure of PostgreSQL, or of the way to it, as a sentence; undefined where the error speaks of neither. */
export function postgresFailure(error: unknown, databaseUrl: string, origin: string): CliError | undefined {
  const explained = explainPostgresFailure(error, databaseUrl, origin);
  if (explained === undefined) return undefined;
  const exitCode = explained.unavailable ? exitCodes.unavailable : exitCodes.failure;
  return new CliError(explained.text, exitCode, { cause: error });
}
