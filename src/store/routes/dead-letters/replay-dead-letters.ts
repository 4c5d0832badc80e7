import type pg from 'pg';
import { type ChunkChange, inChunks, type PassOptions } from '../../listings/selection.ts';
import type { Queryable } from '../../statements/queryable.ts';
import { inTransaction } from '../../transaction.ts';
import { addToRouteTotals } from '../add-to-route-totals.ts';
import { insertOutbox, type OwedJob } from '../insert-outbox.ts';
import { commandShard } from './purge-dead-letters.ts';
import { type DeadLetterSelection, selectionConditions } from './selection.ts';

/*
 * INV. A dead letter leaves its table in the transaction that puts its job into the outbox: killed at any moment, the job
 * is in one of the two.
 */

/** What a replay would find, or why it leaves some where they are. */
export interface Replayable {
  readonly ready: number;
  readonly routeRemoved: number;
  readonly routeDisabled: number;
  /** The message is not stored any more. */
  readonly messageGone: number;
}

const fates = `
  r.route_id is null as route_removed, not r.enabled as route_disabled,
  d.kind = 'message' and not exists (
    select from telemetry t where t.time = d.time and t.identity = d.identity) as message_gone`;

const from = 'dead_letters d left join routes r on r.route_id = d.route_id';

export async function countReplayable(
  db: Queryable,
  selection: DeadLetterSelection,
  upTo: bigint,
): Promise<Replayable> {
  const conditions = selectionConditions(selection);
  conditions.add('d.dead_letter_id <= ?::bigint', upTo);
  const { rows } = await db.query<{ ready: number; removed: number; disabled: number; gone: number }>({
    text: `select count(*) filter (where not route_removed and not route_disabled and not message_gone)::int as ready,
        count(*) filter (where route_removed)::int as removed,
        count(*) filter (where not route_removed and route_disabled)::int as disabled,
        count(*) filter (where not route_removed and not route_disabled and message_gone)::int as gone
      from (select ${fates} from ${from} ${conditions.where}) f`,
    values: conditions.values,
  });
  const [row] = rows;
  return {
    ready: row?.ready ?? 0,
    routeRemoved: row?.removed ?? 0,
    routeDisabled: row?.disabled ?? 0,
    messageGone: row?.gone ?? 0,
  };
}

interface Row {
  readonly dead_letter_id: bigint;
  readonly tenant_id: string;
  readonly route_id: number;
  readonly kind: 'message' | 'status';
  readonly time_us: bigint | null;
  readonly identity: string | null;
  readonly event: string | null;
}

const chunkRows = 500;

/** Puts dead letters back into the outbox; a worker publishes them within a second. @returns how many */
export async function replayDeadLetters(
  pool: pg.Pool,
  selection: DeadLetterSelection,
  options: PassOptions,
): Promise<number> {
  const chunk = replayDeadLettersChunk(selection, options.upTo);
  return inChunks(() => inTransaction(pool, chunk), options);
}

/** The same in the caller's transaction. */
export async function replayDeadLettersIn(
  client: Queryable,
  selection: DeadLetterSelection,
  options: PassOptions,
): Promise<number> {
  const chunk = replayDeadLettersChunk(selection, options.upTo);
  return inChunks(() => chunk(client), options);
}

/** The same, a chunk at a time, in transactions of the caller. */
export function replayDeadLettersChunk(selection: DeadLetterSelection, upTo: bigint): ChunkChange {
  const conditions = selectionConditions(selection);
  conditions.add('d.dead_letter_id <= ?::bigint', upTo);
  return async (client) => {
    const taken = await take(client, conditions.where, conditions.values);
    if (taken.length > 0) await putBack(client, taken);
    return taken.length;
  };
}

async function take(client: Queryable, where: string, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await client.query<Row>({
    text: `delete from dead_letters where dead_letter_id = any(array(
        select d.dead_letter_id from dead_letters d join routes r on r.route_id = d.route_id and r.enabled
        ${where} and (d.kind = 'status' or exists (
          select from telemetry t where t.time = d.time and t.identity = d.identity))
        order by d.dead_letter_id limit ${chunkRows} for update of d skip locked
      ))
      returning dead_letter_id, tenant_id, route_id, kind, (extract(epoch from time) * 1000000)::bigint as time_us,
        replace(identity::text, '-', '') as identity, event`,
    values: [...values],
  });
  return rows;
}

async function putBack(client: Queryable, rows: readonly Row[]): Promise<void> {
  // A job that was delivered to us twice may have died twice: it is owed once.
  const jobs = new Map<string, OwedJob>();
  for (const { kind, route_id: routeId, time_us: timeUs, identity } of rows) {
    if (kind === 'message' && timeUs !== null && identity !== null)
      jobs.set(`${routeId} ${identity}`, { routeId, timeUs: Number(timeUs), identity });
  }
  if (jobs.size > 0) await insertOutbox(client, { jobs: [...jobs.values()], refused: [], counts: [] }, 0);
  await putBackEvents(
    client,
    rows.filter(({ kind }) => kind === 'status'),
  );
  const counts = Map.groupBy(rows, (row) => row.route_id);
  await addToRouteTotals(
    client,
    commandShard,
    [...counts].map(([routeId, own]) => ({
      routeId,
      tenantId: own[0]?.tenant_id ?? '',
      replayed: own.length,
    })),
  );
}

/** For the route alone that it was dead for: other routes have had it. */
async function putBackEvents(client: Queryable, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    text: `insert into route_outbox (kind, due_at, tenant_id, event)
      select 'status', now(), tenant_id, jsonb_build_object('route_id', route_id, 'device_id', event -> 'device_id',
        'status', event -> 'status', 'previous', event -> 'previous', 'since', event -> 'since')
      from unnest($1::text[], $2::int[], $3::jsonb[]) as e (tenant_id, route_id, event)`,
    values: [rows.map((row) => row.tenant_id), rows.map((row) => row.route_id), rows.map((row) => row.event)],
  });
}
