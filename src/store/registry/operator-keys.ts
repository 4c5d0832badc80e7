/** An operator's key as it is shown: never the key itself nor its hash. */
export interface OperatorKey {
  readonly keyId: number;
  readonly name: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | undefined;
}

export const operatorKeyColumns = 'key_id, name, created_at, revoked_at';

export interface OperatorKeyRow {
  readonly key_id: number;
  readonly name: string;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

export function operatorKeyOf(row: OperatorKeyRow): OperatorKey {
  return {
    keyId: row.key_id,
    name: row.name,
    createdAt: row.created_at,
    revokedAt: row.revoked_at ?? undefined,
  };
}
