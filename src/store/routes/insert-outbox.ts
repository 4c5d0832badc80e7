import { int4Array, int8Array, textArray, uuidArray } from '../binary-arrays.ts';
import type { Queryable } from '../statements/queryable.ts';

/** A job by reference. */
export interface OwedJob {
  /** Event time of its message, µs since the epoch. */
  readonly timeUs: number;
  /** 32 hex digits. */
  readonly identity: string;
  readonly routeId: number;
}

export interface RefusedJob extends OwedJob {
  /** One sentence, for the dead letter. */
  readonly detail: string;
}

/** What is counted of a route besides its jobs. */
export interface OutboxCount {
  readonly routeId: number;
  readonly conditionErrors: number;
  /** Refused, and not even kept as dead letters. */
  readonly dropped: number;
}

export interface OutboxGroup {
  readonly jobs: readonly OwedJob[];
  readonly refused: readonly RefusedJob[];
  readonly counts: readonly OutboxCount[];
}

const text = `
insert into route_outbox (kind, due_at, times_us, identities, route_ids, refused_times_us, refused_identities,
                          refused_route_ids, refused_details, counts)
values ('message', now() + $1 * interval '1 ms', $2::bigint[], $3::uuid[], $4::int[], $5::bigint[], $6::uuid[], $7::int[],
        $8::text[], $9)
returning job_group::text`;

/**
 * Writes down what routes are owed, in the transaction that settles the messages.
 * @param dueInMs until then this process publishes it from memory; 0: any worker may at once
 * @returns the group's number
 */
export async function insertOutbox(db: Queryable, group: OutboxGroup, dueInMs: number): Promise<string> {
  const { jobs, refused, counts } = group;
  const { rows } = await db.query<{ job_group: string }>({
    name: 'insert-outbox',
    text,
    values: [
      dueInMs,
      int8Array(jobs, (job) => job.timeUs),
      uuidArray(jobs, (job) => job.identity),
      int4Array(jobs, (job) => job.routeId),
      int8Array(refused, (job) => job.timeUs),
      uuidArray(refused, (job) => job.identity),
      int4Array(refused, (job) => job.routeId),
      textArray(refused, (job) => job.detail),
      JSON.stringify(
        counts.map(({ routeId, conditionErrors, dropped }) => ({
          route_id: routeId,
          condition_errors: conditionErrors,
          dropped,
        })),
      ),
    ],
  });
  const [row] = rows;
  if (row === undefined) throw new Error('route_outbox gave no number to a row');
  return row.job_group;
}
