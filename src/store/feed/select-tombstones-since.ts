import type { Queryable } from '../statements/queryable.ts';
import { toSafeNumber } from '../types.ts';

export interface Tombstone {
  readonly tenantId: string;
  /** Undefined: the tenant itself was deleted. */
  readonly deviceId: string | undefined;
}

/** Deletions up to this version may not be told any more; -1: all are. */
export async function selectTombstonesPurgedTo(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ purged_to: bigint }>({
    name: 'tombstones-purged-to',
    text: 'select tombstones_purged_to as purged_to from registry_version',
  });
  return toSafeNumber(rows[0]?.purged_to ?? -1n);
}

/** What was deleted after a version, as far as it was not purged. */
export async function selectTombstonesSince(db: Queryable, version: number): Promise<Tombstone[]> {
  const { rows } = await db.query<{ tenant_id: string; device_id: string | null }>({
    name: 'tombstones-since',
    text: 'select tenant_id, device_id from registry_tombstones where version > $1',
    values: [version],
  });
  return rows.map((row) => ({ tenantId: row.tenant_id, deviceId: row.device_id ?? undefined }));
}
