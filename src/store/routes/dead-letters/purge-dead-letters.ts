import { type ChunkChange, inChunks, type PassOptions } from '../../listings/selection.ts';
import type { Queryable } from '../../statements/queryable.ts';
import { routeTotalsShards } from '../add-to-route-totals.ts';
import { type DeadLetterSelection, selectionConditions } from './selection.ts';

const chunkRows = 2_000;
/** A shard of its own: a person's command holds up no process. */
export const commandShard = routeTotalsShards + 1;

/** Deletes dead letters for good; they stay counted. @returns how many */
export function purgeDeadLetters(
  db: Queryable,
  selection: DeadLetterSelection,
  options: PassOptions,
): Promise<number> {
  const chunk = purgeDeadLettersChunk(selection, options.upTo);
  return inChunks(() => chunk(db), options);
}

/** The same, a chunk at a time, in transactions of the caller. */
export function purgeDeadLettersChunk(selection: DeadLetterSelection, upTo: bigint): ChunkChange {
  const conditions = selectionConditions(selection);
  conditions.add('d.dead_letter_id <= ?::bigint', upTo);
  const { where, values } = conditions;
  return async (db) => {
    const { rows } = await db.query<{ purged: number }>({
      text: `with gone as (
          delete from dead_letters where dead_letter_id = any(array(
            select d.dead_letter_id from dead_letters d ${where}
            order by d.dead_letter_id limit ${chunkRows} for update skip locked
          )) returning route_id, tenant_id
        ), counted as (
          insert into route_totals as known (route_id, shard, tenant_id, purged)
          select route_id, ${commandShard}, min(tenant_id), count(*) from gone group by route_id order by route_id
          on conflict (route_id, shard) do update set purged = known.purged + excluded.purged
        )
        select count(*)::int as purged from gone`,
      values,
    });
    return rows[0]?.purged ?? 0;
  };
}
