import type { Level } from '../../model/actor.ts';
import type { TenantId } from '../../model/identifiers.ts';
import { constraintOf } from '../errors.ts';
import { RegistryError, tenantNotFound } from '../registry/registry-error.ts';
import type { Queryable } from '../statements/queryable.ts';

/** A tenant's key as it is shown: never the key itself nor its hash. */
export interface TenantKey {
  readonly key_id: number;
  readonly name: string;
  readonly level: Level;
  readonly created_at: Date;
  /** Null: it has no end. */
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

const columns = 'key_id, name, level, created_at, expires_at, revoked_at';

export interface NewTenantKey {
  readonly name: string;
  readonly level: Level;
  readonly keySha256: Uint8Array;
  /** RFC 3339. */
  readonly expiresAt?: string | undefined;
}

/** @throws RegistryError `key_exists` when a valid key has the name, `tenant_not_found`. */
export async function addTenantKey(
  db: Queryable,
  tenantId: TenantId,
  { name, level, keySha256, expiresAt }: NewTenantKey,
): Promise<TenantKey> {
  try {
    const { rows } = await db.query<TenantKey>({
      text: `insert into tenant_keys (tenant_id, name, level, key_sha256, expires_at) values ($1, $2, $3, $4, $5)
        on conflict do nothing returning ${columns}`,
      values: [tenantId, name, level, keySha256, expiresAt],
    });
    if (rows[0] !== undefined) return rows[0];
  } catch (error) {
    if (constraintOf(error) === 'tenant_keys_tenant_id_fkey') throw tenantNotFound(tenantId);
    throw error;
  }
  throw new RegistryError(
    'key_exists',
    `Tenant ${tenantId} has a key ${name} already: choose another name, or revoke that one first.`,
  );
}

export interface KeyPage {
  /** Keys made after this one. */
  readonly afterId?: string | undefined;
  readonly limit?: number | undefined;
}

/** A tenant's keys in the order they were made, the revoked ones included. */
export async function listTenantKeys(
  db: Queryable,
  tenantId: TenantId,
  page: KeyPage = {},
): Promise<TenantKey[]> {
  const { rows } = await db.query<TenantKey>({
    text: `select ${columns} from tenant_keys where tenant_id = $1 and key_id > coalesce($2::bigint, 0)
      order by key_id limit $3`,
    values: [tenantId, page.afterId, page.limit],
  });
  return rows;
}

/**
 * Ends a key, and the sessions that were opened with it. Revoking again changes nothing.
 * @throws RegistryError `key_not_found`.
 */
export async function revokeTenantKey(
  db: Queryable,
  tenantId: TenantId,
  which: { readonly keyId: string } | { readonly name: string },
): Promise<TenantKey> {
  const byId = 'keyId' in which;
  // Of a name only one can be valid; of those revoked before, the last.
  const { rows } = await db.query<TenantKey>({
    text: `update tenant_keys set revoked_at = coalesce(revoked_at, now()) where key_id = (
        select key_id from tenant_keys where tenant_id = $1 and ${byId ? 'key_id = $2::bigint' : 'name = $2'}
        order by revoked_at is null desc, key_id desc limit 1)
      returning ${columns}`,
    values: [tenantId, byId ? which.keyId : which.name],
  });
  if (rows[0] !== undefined) return rows[0];
  throw new RegistryError(
    'key_not_found',
    `Tenant ${tenantId} has no key ${byId ? which.keyId : which.name}.`,
  );
}
