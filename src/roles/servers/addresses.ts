import type { Config } from '../../config/settings.ts';
import { parseNatsUrl } from '../../stream/connection.ts';

/** @throws Error with one sentence when a role has no NATS to go to, TypeError when the address is none */
export function requireNatsUrl({ natsUrl }: Config): string {
  if (natsUrl === undefined) {
    throw new Error('NATS_URL is not set: name the NATS server, or run tributary up, which brings its own.');
  }
  parseNatsUrl(natsUrl);
  return natsUrl;
}

/** @throws Error with one sentence when a role has no database to go to */
export function requireDatabaseUrl({ databaseUrl }: Config): string {
  if (databaseUrl !== undefined) return databaseUrl;
  throw new Error('DATABASE_URL is not set: name the database, or run tributary up, which brings its own.');
}
