import type pg from 'pg';
import type { TenantId } from '../../model/identifiers.ts';
import { hashToken } from '../../model/token.ts';
import type { NewDevice } from '../../store/registry/add-device.ts';
import type { DeviceRow } from '../../store/registry/csv/device-row.ts';
import { findRegistered } from '../../store/registry/find-registered.ts';
import { type ImportSums, importDevices } from '../../store/registry/import-devices.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { inTransaction } from '../../store/transaction.ts';
import { readDeviceRows } from './device-rows.ts';
import type { TokensFile } from './tokens-file.ts';

export interface ImportFileOptions {
  readonly pool: pg.Pool;
  /** Writes or moves on a tenant's entry of the audit log, in the transaction of a batch. */
  readonly note: (db: Queryable, tenantId: TenantId, sums: TokenSums) => Promise<void>;
  readonly file: string;
  readonly defaultTenant: TenantId | undefined;
  readonly existing: 'skip' | 'update';
  /** Where new tokens go; without it devices that bring none get none. */
  readonly tokens: TokensFile | undefined;
  readonly newToken: () => string;
  /** Called after each transaction with the number of rows done. */
  readonly onProgress: (rows: number) => void;
  /** Ends the import between two transactions. */
  readonly stop: AbortSignal;
}

/** What came of the devices so far. */
export interface TokenSums extends ImportSums {
  /** Devices that were given a new token. */
  readonly tokens: number;
}

export interface ImportFileResult extends TokenSums {
  /** False: told to stop; what is counted here is done. */
  readonly complete: boolean;
}

const batchSize = 2_000;

/** Imports a file that `checkFile` has found to be in order, in batches of one tenant each. */
export async function importFile(options: ImportFileOptions): Promise<ImportFileResult> {
  let sums: TokenSums = nothing;
  const ofTenants = new Map<TenantId, TokenSums>();
  let rowsDone = 0;
  for await (const batch of batches(options)) {
    if (options.stop.aborted) return { ...sums, complete: false };
    const { tenantId, rows } = batch;
    const { devices, tokens } = await withNewTokens(options, tenantId, rows);
    const done = await inTransaction(options.pool, async (client) => {
      const imported = await importDevices(client, tenantId, devices, {
        existing: options.existing,
        batchSize,
      });
      const ofTenant = plus(ofTenants.get(tenantId) ?? nothing, { ...imported, tokens });
      ofTenants.set(tenantId, ofTenant);
      await options.note(client, tenantId, ofTenant);
      return { ...imported, tokens };
    });
    sums = plus(sums, done);
    rowsDone += rows.length;
    options.onProgress(rowsDone);
  }
  return { ...sums, complete: true };
}

const nothing: TokenSums = { added: 0, updated: 0, unchanged: 0, tokens: 0 };

function plus(a: TokenSums, b: TokenSums): TokenSums {
  return {
    added: a.added + b.added,
    updated: a.updated + b.updated,
    unchanged: a.unchanged + b.unchanged,
    tokens: a.tokens + b.tokens,
  };
}

interface Batch {
  readonly tenantId: TenantId;
  readonly rows: readonly DeviceRow[];
}

/** Gathers rows by tenant; when many tenants take turns in the file, the fullest goes first. */
async function* batches({ file, defaultTenant }: ImportFileOptions): AsyncGenerator<Batch> {
  const gathered = new Map<TenantId, DeviceRow[]>();
  let held = 0;
  const onBadRow = (error: Error) => {
    throw error;
  };
  for await (const row of readDeviceRows(file, { defaultTenant, onBadRow })) {
    const rows = gathered.get(row.tenantId) ?? [];
    gathered.set(row.tenantId, rows);
    rows.push(row);
    held += 1;
    const full =
      rows.length >= batchSize ? row.tenantId : held >= 10 * batchSize ? fullest(gathered) : undefined;
    if (full === undefined) continue;
    const batch = gathered.get(full) ?? [];
    gathered.delete(full);
    held -= batch.length;
    yield { tenantId: full, rows: batch };
  }
  for (const [tenantId, rows] of gathered) yield { tenantId, rows };
}

function fullest(gathered: ReadonlyMap<TenantId, readonly DeviceRow[]>): TenantId | undefined {
  return [...gathered].sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

/**
 * Gives a token to each device that is new and brings none. The tokens are in the file before the devices are in the
 * registry: a crash between the two leaves a token of no use, and never a device whose token nobody has.
 */
async function withNewTokens(
  { pool, tokens: file, newToken }: ImportFileOptions,
  tenantId: TenantId,
  rows: readonly DeviceRow[],
): Promise<{ devices: NewDevice[]; tokens: number }> {
  const bare = rows.filter((row) => row.tokenSha256 === undefined);
  if (file === undefined || bare.length === 0) return { devices: [...rows], tokens: 0 };
  const registered = await findRegistered(
    pool,
    tenantId,
    bare.map((row) => row.deviceId),
  );
  const tokens = new Map(
    bare.filter((row) => !registered.has(row.deviceId)).map((row) => [row, newToken()] as const),
  );
  file.append([...tokens].map(([{ deviceId, siteId }, token]) => ({ tenantId, deviceId, siteId, token })));
  const devices = rows.map((row) => {
    const token = tokens.get(row);
    return token === undefined ? row : { ...row, tokenSha256: hashToken(token) };
  });
  return { devices, tokens: tokens.size };
}
