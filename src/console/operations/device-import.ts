import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import Type from 'typebox';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { hashToken } from '../../model/token.ts';
import { BadFileError } from '../../store/registry/csv/bad-row-error.ts';
import { csvLine } from '../../store/registry/csv/csv-line.ts';
import type { DeviceRow } from '../../store/registry/csv/device-row.ts';
import { readDeviceRows } from '../../store/registry/csv/read-device-rows.ts';
import { findRegistered } from '../../store/registry/find-registered.ts';
import { importDevices } from '../../store/registry/import-devices.ts';
import type { ConsoleServices, OperationContext } from '../context.ts';
import { defineOperation } from '../operation.ts';
import { invalidInput } from '../problem.ts';
import { tooLarge } from '../read-body.ts';
import { ok } from '../reply.ts';
import { closed, count, nullable, ofTenant } from '../schemas.ts';
import { newToken } from './devices.ts';

const maxUploadBytes = 64 * 1024 * 1024;
const maxShownFailures = 1_000;
const batchSize = 2_000;

interface Failure {
  readonly line: number;
  readonly reason: string;
}

interface FileRows {
  readonly rows: readonly DeviceRow[];
  readonly failed: readonly Failure[];
  readonly failedCount: number;
}

export const deviceImport = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/devices/import',
  id: 'importDevices',
  tag: 'Devices',
  summary: 'Register many devices from CSV',
  description:
    'The first line names the columns: `device_id` and `site_id`; and, where wanted, `token` or `token_sha256` (hex), `rate_per_second`, `burst`, `max_sensors`, `tenant_id` (this tenant’s). Lines that cannot be imported are left out and listed. Devices that bring no token get a new one: `tokens` is CSV with them, this once. Devices that are registered already stay as they are, or with `update` take on what the file says. Batches of 2,000 devices are transactions of their own: when it is cut off, what is in the registry stays, and the same import again goes on.',
  access: 'write',
  params: ofTenant,
  query: {
    update: Type.Boolean({ default: false }),
    new_tokens: Type.Boolean({ default: true, description: 'false: devices that bring none get none' }),
  },
  upload: { contentType: 'text/csv', maxBytes: maxUploadBytes },
  answers: {
    200: {
      description: 'What came of it',
      schema: closed({
        added: count,
        updated: count,
        unchanged: count,
        failed: Type.Array(closed({ line: Type.Integer(), reason: Type.String() })),
        failed_count: Type.Integer({
          minimum: 0,
          description: `\`failed\` lists ${maxShownFailures} at most`,
        }),
        tokens: nullable(Type.String({ description: 'CSV: device_id,site_id,token' })),
      }),
    },
  },
  handle: async ({ params: { tenant_id: tenantId }, query }, context) => {
    const { rows, failed, failedCount } = await readFile(context.request, tenantId);
    const sums = { added: 0, updated: 0, unchanged: 0 };
    const tokens: string[] = [];
    for (let at = 0; at < rows.length; at += batchSize) {
      const batch = rows.slice(at, at + batchSize);
      const done = await importBatch(context, tenantId, batch, query);
      sums.added += done.added;
      sums.updated += done.updated;
      sums.unchanged += done.unchanged;
      tokens.push(...done.tokens);
    }
    return ok({
      ...sums,
      failed,
      failed_count: failedCount,
      tokens: tokens.length === 0 ? null : csvLine(['device_id', 'site_id', 'token']) + tokens.join(''),
    });
  },
});

/** The whole file first: what is wrong with it as a whole is known before anything is changed. */
async function readFile({ body }: Request, tenantId: TenantId): Promise<FileRows> {
  const rows: DeviceRow[] = [];
  const failed: Failure[] = [];
  let failedCount = 0;
  const fail = (line: number, reason: string) => {
    failedCount += 1;
    if (failed.length < maxShownFailures) failed.push({ line, reason });
  };
  const lines = new Map<DeviceId, number>();
  const onBadRow = ({ line, why }: { line: number; why: string }) => fail(line, why);
  try {
    for await (const row of readDeviceRows(bounded(body), { defaultTenant: tenantId, onBadRow })) {
      const earlier = lines.get(row.deviceId);
      if (row.tenantId !== tenantId) fail(row.line, `tenant_id ${row.tenantId} is not the one of the path.`);
      else if (earlier !== undefined) fail(row.line, `device ${row.deviceId} is in line ${earlier} already.`);
      else {
        lines.set(row.deviceId, row.line);
        rows.push(row);
      }
    }
  } catch (error) {
    throw error instanceof BadFileError ? invalidInput(error.message) : error;
  }
  return { rows, failed, failedCount };
}

/** A body whose length nobody told is counted as it comes. */
function bounded(body: ReadableStream<Uint8Array> | null): Readable {
  if (body === null) return Readable.from([]);
  let bytes = 0;
  const source = Readable.fromWeb(body as unknown as WebStream);
  return Readable.from(
    (async function* () {
      for await (const chunk of source as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        if (bytes > maxUploadBytes) throw tooLarge(maxUploadBytes);
        yield chunk;
      }
    })(),
  );
}

async function importBatch(
  { services, change }: OperationContext,
  tenantId: TenantId,
  rows: readonly DeviceRow[],
  query: { readonly update: boolean; readonly new_tokens: boolean },
) {
  const fresh = query.new_tokens ? await newTokens(services, tenantId, rows) : new Map<DeviceRow, string>();
  const devices = rows.map((row) => {
    const token = fresh.get(row);
    return token === undefined ? row : { ...row, tokenSha256: hashToken(token) };
  });
  const note = {
    action: 'device.import',
    target: `${rows.length} devices`,
    detail: (sums: object) => ({ ...sums, new_tokens: fresh.size }),
  };
  const sums = await change(note, (client) =>
    importDevices(client, tenantId, devices, { existing: query.update ? 'update' : 'skip', batchSize }),
  );
  const tokens = [...fresh].map(([{ deviceId, siteId }, token]) => csvLine([deviceId, siteId, token]));
  return { ...sums, tokens };
}

/** A token for each device that is new and brings none. */
async function newTokens(
  services: ConsoleServices,
  tenantId: TenantId,
  rows: readonly DeviceRow[],
): Promise<ReadonlyMap<DeviceRow, string>> {
  const bare = rows.filter(({ tokenSha256 }) => tokenSha256 === undefined);
  const registered = await findRegistered(
    services.pool,
    tenantId,
    bare.map(({ deviceId }) => deviceId),
  );
  const without = bare.filter(({ deviceId }) => !registered.has(deviceId));
  return new Map(without.map((row) => [row, newToken(services)] as const));
}
