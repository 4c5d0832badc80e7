import type { RegisteredDevice } from '../../model/registry.ts';
import { type DeviceCoreRow, deviceCoreOf } from '../registry/device-row.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface RegisteredDeviceRow extends DeviceCoreRow {
  readonly token_sha256: Buffer | null;
  readonly previous_token_sha256: Buffer | null;
  readonly previous_token_until_ms: number | null;
  readonly revoked: boolean;
}

interface Row extends RegisteredDeviceRow {
  readonly version: bigint;
}

export const registeredDeviceColumns = `tenant_id, device_id, site_id, token_sha256, previous_token_sha256,
    (extract(epoch from previous_token_until) * 1000)::float8 as previous_token_until_ms,
    revoked_at is not null as revoked, rate_per_second, burst, max_sensors`;

const text = `select version, ${registeredDeviceColumns}
  from devices where (version, tenant_id, device_id) > ($1, $2, $3)
  order by version, tenant_id, device_id limit $4`;

/** Devices that changed after a version, oldest change first, in pages of at most `pageSize`. */
export async function* selectDevicesSince(
  db: Queryable,
  version: number,
  pageSize: number,
): AsyncGenerator<RegisteredDevice[], void> {
  // No id comes after this one, so the first page starts with the next version.
  let after: readonly [version: bigint, tenantId: string, deviceId: string] = [BigInt(version), '~', ''];
  for (;;) {
    const { rows } = await db.query<Row>({ name: 'devices-since', text, values: [...after, pageSize] });
    yield rows.map(registeredDeviceOf);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return;
    after = [last.version, last.tenant_id, last.device_id];
  }
}

export function registeredDeviceOf(row: RegisteredDeviceRow): RegisteredDevice {
  return {
    ...deviceCoreOf(row),
    tokenSha256: row.token_sha256 ?? undefined,
    previousTokenSha256: row.previous_token_sha256 ?? undefined,
    previousTokenUntilMs: row.previous_token_until_ms ?? undefined,
    revoked: row.revoked,
  };
}
