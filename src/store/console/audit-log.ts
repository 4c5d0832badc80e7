import type { TenantId } from '../../model/identifiers.ts';
import { createConditions, isoTime } from '../listings/conditions.ts';
import type { Queryable } from '../statements/queryable.ts';
import type { FoundKey } from './find-key.ts';

export interface NewAuditEntry {
  readonly actor: FoundKey;
  /** Undefined: a change of the installation. */
  readonly tenantId: TenantId | undefined;
  /** `device.create` */
  readonly action: string;
  readonly target: string;
  /** JSON of an object, without secrets. */
  readonly detail: string;
}

export async function insertAuditEntry(db: Queryable, entry: NewAuditEntry): Promise<void> {
  const { actor, tenantId, action, target, detail } = entry;
  await db.query({
    text: `insert into audit_log (actor_kind, actor_key_id, actor_name, tenant_id, action, target, detail)
      values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [actor.kind, actor.keyId, actor.name, tenantId, action, target, detail],
  });
}

export interface AuditFilter {
  /** Undefined: all, the installation's own included. */
  readonly tenantId: TenantId | undefined;
  readonly action?: string | undefined;
  /** RFC 3339; not before, and before. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Entries before this one. */
  readonly beforeId?: string | undefined;
  readonly limit: number;
}

export interface AuditRow {
  readonly entry_id: bigint;
  readonly time: string;
  readonly actor_kind: 'operator' | 'tenant';
  readonly actor_key_id: number;
  readonly actor_name: string;
  readonly tenant_id: string | null;
  readonly action: string;
  readonly target: string;
  /** JSON text. */
  readonly detail: string;
}

/** Newest first. */
export async function listAuditLog(db: Queryable, filter: AuditFilter): Promise<AuditRow[]> {
  const conditions = createConditions();
  conditions.add('tenant_id = ?', filter.tenantId);
  conditions.add('action = ?', filter.action);
  conditions.add('time >= ?::timestamptz', filter.from);
  conditions.add('time < ?::timestamptz', filter.to);
  conditions.add('entry_id < ?::bigint', filter.beforeId);
  const { rows } = await db.query<AuditRow>({
    text: `select entry_id, ${isoTime('a.time')} as time, actor_kind, actor_key_id, actor_name, tenant_id, action, target,
        detail
      from audit_log a ${conditions.where} order by entry_id desc limit ${Math.trunc(filter.limit)}`,
    values: conditions.values,
  });
  return rows;
}
