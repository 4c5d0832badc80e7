import type { Queryable } from '../statements/queryable.ts';

export interface Tombstone {
  readonly tenantId: string;
  /** Undefined: the tenant itself was deleted. */
  readonly deviceId: string | undefined;
}

/** What was deleted after a version. */
export async function selectTombstonesSince(db: Queryable, version: number): Promise<Tombstone[]> {
  const { rows } = await db.query<{ tenant_id: string; device_id: string | null }>({
    name: 'tombstones-since',
    text: 'select tenant_id, device_id from registry_tombstones where version > $1',
    values: [version],
  });
  return rows.map((row) => ({ tenantId: row.tenant_id, deviceId: row.device_id ?? undefined }));
}
