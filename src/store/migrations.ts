// Imported as text, not read from a folder: a compiled executable carries them too.
import spine from '../../sql/migrations/0001_spine.sql' with { type: 'text' };
import routes from '../../sql/migrations/0002_routes.sql' with { type: 'text' };
import tombstones from '../../sql/migrations/0003_tombstones.sql' with { type: 'text' };
import routeBackfills from '../../sql/migrations/0004_route_backfills.sql' with { type: 'text' };
import routeTombstones from '../../sql/migrations/0005_route_tombstones.sql' with { type: 'text' };
import receipts from '../../sql/migrations/0006_receipts.sql' with { type: 'text' };
import console from '../../sql/migrations/0007_console.sql' with { type: 'text' };
import mended from '../../sql/migrations/0008_mended.sql' with { type: 'text' };
import processRoles from '../../sql/migrations/0009_process_roles.sql' with { type: 'text' };
import rollups from '../../sql/migrations/0010_rollups.sql' with { type: 'text' };
import replayProgress from '../../sql/migrations/0011_replay_progress.sql' with { type: 'text' };
import consoleRoles from '../../sql/migrations/0012_console_roles.sql' with { type: 'text' };
import statusHistory from '../../sql/migrations/0013_status_history.sql' with { type: 'text' };
import routeHasSecrets from '../../sql/migrations/0014_route_has_secrets.sql' with { type: 'text' };
import outboxStorage from '../../sql/migrations/0015_outbox_storage.sql' with { type: 'text' };
import bulkDeletes from '../../sql/migrations/0016_bulk_deletes.sql' with { type: 'text' };
import cliAudit from '../../sql/migrations/0017_cli_audit.sql' with { type: 'text' };
import latestOwed from '../../sql/migrations/0018_latest_owed.sql' with { type: 'text' };

export interface Migration {
  /** The number in front of the file's name. */
  readonly version: number;
  /** The file's name without `.sql`. */
  readonly name: string;
  readonly sql: string;
}

/** In order, without a gap; a test compares the list with the folder. */
export const migrations: readonly Migration[] = [
  { version: 1, name: '0001_spine', sql: spine },
  { version: 2, name: '0002_routes', sql: routes },
  { version: 3, name: '0003_tombstones', sql: tombstones },
  { version: 4, name: '0004_route_backfills', sql: routeBackfills },
  { version: 5, name: '0005_route_tombstones', sql: routeTombstones },
  { version: 6, name: '0006_receipts', sql: receipts },
  { version: 7, name: '0007_console', sql: console },
  { version: 8, name: '0008_mended', sql: mended },
  { version: 9, name: '0009_process_roles', sql: processRoles },
  { version: 10, name: '0010_rollups', sql: rollups },
  { version: 11, name: '0011_replay_progress', sql: replayProgress },
  { version: 12, name: '0012_console_roles', sql: consoleRoles },
  { version: 13, name: '0013_status_history', sql: statusHistory },
  { version: 14, name: '0014_route_has_secrets', sql: routeHasSecrets },
  { version: 15, name: '0015_outbox_storage', sql: outboxStorage },
  { version: 16, name: '0016_bulk_deletes', sql: bulkDeletes },
  { version: 17, name: '0017_cli_audit', sql: cliAudit },
  { version: 18, name: '0018_latest_owed', sql: latestOwed },
];
