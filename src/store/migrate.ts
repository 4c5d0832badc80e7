import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import { type Migration, migrations } from './migrations.ts';
import { inTransaction } from './transaction.ts';

/** The database was migrated by a newer Tributary. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** The database has still to be migrated. */
export class OlderSchemaError extends Error {
  override readonly name = 'OlderSchemaError';
}

/** A migration that was applied is not the one this program has. */
export class ChangedMigrationError extends Error {
  override readonly name = 'ChangedMigrationError';
}

export interface MigrateOptions {
  readonly log?: Logger;
  /** Default: this program's own. */
  readonly migrations?: readonly Migration[];
}

export interface MigrateResult {
  /** Names of what this call applied, in order. */
  readonly applied: string[];
  /** The schema's version now. */
  readonly version: number;
}

/** Any constant does, as long as all migrators of one database take the same. */
const migrationLock = 7_710_240_001;

/**
 * Brings the database's schema to this program's version, one transaction per migration: a migration is applied
 * whole or not at all, and a second call goes on from there. Safe to run from several processes at once.
 *
 * @throws NewerSchemaError, ChangedMigrationError; errors of the database as they are.
 */
export async function migrate(pool: pg.Pool, options: MigrateOptions = {}): Promise<MigrateResult> {
  const wanted = options.migrations ?? migrations;
  const applied: string[] = [];
  for (;;) {
    const next = await inTransaction(pool, (client) => applyNext(client, wanted));
    if (next === undefined) return { applied, version: wanted.at(-1)?.version ?? 0 };
    applied.push(next.name);
    options.log?.info({ event: 'migrated', migration: next.name }, 'migrated the database');
  }
}

/**
 * @throws OlderSchemaError, NewerSchemaError, ChangedMigrationError when the database does not have exactly this
 * program's schema. What roles ask before they start.
 */
export async function requireSchema(pool: pg.Pool): Promise<void> {
  const known = await pool.query<{ found: boolean }>(
    `select to_regclass('tributary_migrations') is not null as found`,
  );
  const rows = known.rows[0]?.found ? await pool.query<AppliedRow>(selectApplied) : { rows: [] };
  const missing = firstMissing(rows.rows, migrations);
  if (missing === undefined) return;
  throw new OlderSchemaError(
    `The database lacks migration ${missing.name}: run \`tributary migrate\` and start again.`,
  );
}

async function applyNext(
  client: pg.PoolClient,
  wanted: readonly Migration[],
): Promise<Migration | undefined> {
  // A migration may take long, and so may the wait for another migrator.
  await client.query(`set local statement_timeout = 0; set local lock_timeout = 0;
    set local idle_in_transaction_session_timeout = 0`);
  // Roles start at the same moment and all migrate. The lock lets one do it while the others wait and then find
  // it done; it ends with the transaction, so a migrator that dies leaves nothing behind.
  await client.query(patiently('select pg_advisory_xact_lock($1)', [migrationLock]));
  await client.query(`create table if not exists tributary_migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
  )`);
  const next = firstMissing((await client.query<AppliedRow>(selectApplied)).rows, wanted);
  if (next === undefined) return undefined;
  await client.query(patiently(next.sql));
  await client.query('insert into tributary_migrations (version, name, checksum) values ($1, $2, $3)', [
    next.version,
    next.name,
    checksumOf(next.sql),
  ]);
  return next;
}

/** The pool's connections give up what is not answered soon; here only the server decides. */
function patiently(text: string, values?: unknown[]): pg.QueryConfig {
  const query = { text, ...(values === undefined ? {} : { values }), query_timeout: 2 ** 31 - 1 };
  return query;
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

const selectApplied = 'select version, name, checksum from tributary_migrations order by version';

function firstMissing(applied: readonly AppliedRow[], wanted: readonly Migration[]): Migration | undefined {
  const newest = applied.at(-1);
  const ownVersion = wanted.at(-1)?.version ?? 0;
  if (newest !== undefined && newest.version > ownVersion) {
    throw new NewerSchemaError(
      `The database has schema version ${newest.version} (${newest.name}) and this program knows versions up to ` +
        `${ownVersion}: install the newer Tributary that made it, or use another database.`,
    );
  }
  const byVersion = new Map(applied.map((row) => [row.version, row]));
  for (const migration of wanted) {
    const row = byVersion.get(migration.version);
    if (row === undefined) return migration;
    if (row.checksum === checksumOf(migration.sql)) continue;
    throw new ChangedMigrationError(
      `Migration ${row.name} was applied to the database in another wording than this program's ` +
        `${migration.name}: use the release that made the database, or another database.`,
    );
  }
  return undefined;
}

function checksumOf(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}
