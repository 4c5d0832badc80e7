import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';
import { deviceNotFound } from './registry-error.ts';

export interface TokenRotation {
  /** SHA-256 of the new token. */
  readonly tokenSha256: Uint8Array;
  /** How long the token that is replaced stays valid, in ms; 0: not at all. */
  readonly graceMs: number;
}

export interface RotatedToken {
  /** Until when the token before is valid; undefined when it is not. */
  readonly previousTokenUntil: Date | undefined;
}

/**
 * Gives a device a new token. At most two are valid at a time: the one before the one that is replaced ends now.
 * A revoked device stays revoked.
 * @throws RegistryError `device_not_found`.
 */
export async function rotateToken(
  db: Queryable,
  tenantId: TenantId,
  deviceId: DeviceId,
  { tokenSha256, graceMs }: TokenRotation,
): Promise<RotatedToken> {
  const { rows } = await db.query<{ previous_token_until: Date | null }>({
    text: `update devices set
        token_sha256 = $3,
        previous_token_sha256 = case when $4::float8 > 0 then token_sha256 end,
        previous_token_until = case when $4::float8 > 0 and token_sha256 is not null
          then now() + $4::float8 * interval '1 millisecond' end
      where tenant_id = $1 and device_id = $2
      returning previous_token_until`,
    values: [tenantId, deviceId, tokenSha256, graceMs],
  });
  const row = rows[0];
  if (row === undefined) throw deviceNotFound(tenantId, deviceId);
  return { previousTokenUntil: row.previous_token_until ?? undefined };
}
