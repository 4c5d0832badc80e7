import type { Actor, Level } from '../../model/actor.ts';
import type { TenantId } from '../../model/identifiers.ts';
import type { Queryable } from '../statements/queryable.ts';

export interface FoundKeyRow {
  readonly operator_key_id: number | null;
  readonly operator_name: string | null;
  readonly tenant_key_id: number | null;
  readonly tenant_name: string | null;
  readonly tenant_id: TenantId | null;
  readonly level: Level | null;
}

export const foundKeyColumns = `o.key_id as operator_key_id, o.name as operator_name,
  t.key_id as tenant_key_id, t.name as tenant_name, t.tenant_id, t.level`;

/** Conditions under which a key counts. */
export const validOperatorKey = 'o.revoked_at is null';
export const validTenantKey = 't.revoked_at is null and (t.expires_at is null or t.expires_at > now())';

export function foundKeyOf(row: FoundKeyRow | undefined): Actor | undefined {
  if (row === undefined) return undefined;
  if (row.operator_key_id !== null) {
    return { kind: 'operator', keyId: row.operator_key_id, name: row.operator_name ?? '' };
  }
  const { tenant_key_id: keyId, tenant_id: tenantId, level } = row;
  if (keyId === null || tenantId === null || level === null) return undefined;
  return { kind: 'tenant', keyId, name: row.tenant_name ?? '', tenantId, level };
}

/** The valid operator or tenant key of this hash. Looked up by index, as operator keys are (find-operator-key.ts). */
export async function findKey(db: Queryable, keySha256: Uint8Array): Promise<Actor | undefined> {
  const { rows } = await db.query<FoundKeyRow>({
    name: 'find-key',
    text: `select ${foundKeyColumns} from (select $1::bytea as key_sha256) given
      left join operator_keys o on o.key_sha256 = given.key_sha256 and ${validOperatorKey}
      left join tenant_keys t on t.key_sha256 = given.key_sha256 and ${validTenantKey}`,
    values: [keySha256],
  });
  return foundKeyOf(rows[0]);
}
