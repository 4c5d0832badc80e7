import type { Queryable } from '../statements/queryable.ts';

export interface StoredKey {
  /** Event time, µs since the epoch. */
  readonly timeUs: number;
  /** 32 hex digits. */
  readonly identity: string;
}

/** The positions (from 0) of those that are rows of `telemetry` already. */
export async function selectStored(db: Queryable, keys: readonly StoredKey[]): Promise<Set<number>> {
  const { rows } = await db.query<{ position: number }>({
    name: 'select-stored',
    text: `select k.position::int - 1 as position
      from unnest($1::float8[], $2::uuid[]) with ordinality as k (time_us, identity, position)
      where exists (select from telemetry t
                    where t.time = timestamptz 'epoch' + k.time_us * interval '1 microsecond'
                      and t.identity = k.identity)`,
    values: [keys.map((key) => key.timeUs), keys.map((key) => key.identity)],
  });
  return new Set(rows.map((row) => row.position));
}
