import type { Actor } from '../../model/actor.ts';
import type { TenantId } from '../../model/identifiers.ts';
import { createConditions, isoTime } from '../listings/conditions.ts';
import type { Queryable } from '../statements/queryable.ts';

/** Who changes something: a key of the API, or somebody at the command line, who is known by name alone. */
export type AuditActor =
  | Pick<Actor, 'kind' | 'keyId' | 'name'>
  | { readonly kind: 'cli'; readonly keyId?: undefined; readonly name: string };

export interface NewAuditEntry {
  readonly actor: AuditActor;
  /** Undefined: a change of the installation. */
  readonly tenantId: string | undefined;
  /** `device.create` */
  readonly action: string;
  readonly target: string;
  /** JSON of an object, without secrets. */
  readonly detail: string;
}

/** @returns its number */
export async function insertAuditEntry(db: Queryable, entry: NewAuditEntry): Promise<bigint> {
  const { actor, tenantId, action, target, detail } = entry;
  const { rows } = await db.query<{ entry_id: bigint }>({
    text: `insert into audit_log (actor_kind, actor_key_id, actor_name, tenant_id, action, target, detail)
      values ($1, $2, $3, $4, $5, $6, $7) returning entry_id`,
    values: [actor.kind, actor.keyId, actor.name, tenantId, action, target, detail],
  });
  const [row] = rows;
  if (row === undefined) throw new Error('the audit log took no entry: nothing was changed');
  return row.entry_id;
}

/** For a change of several transactions: in each of them, so that its one entry says at any moment what is done. */
export async function updateAuditDetail(db: Queryable, entryId: bigint, detail: string): Promise<void> {
  const { rowCount } = await db.query({
    text: 'update audit_log set detail = $2 where entry_id = $1',
    values: [entryId, detail],
  });
  if (rowCount !== 1)
    throw new Error(`entry ${entryId} of the audit log is gone: the rest of the change was not made`);
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
  readonly actor_kind: 'operator' | 'tenant' | 'cli';
  /** Null: it was no key, but the command line. */
  readonly actor_key_id: number | null;
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
