import type { Queryable } from '../statements/queryable.ts';
import type { StoredPosition, StoredRange } from './select-stored.ts';

/** A backfill that is not at its end. */
export interface Backfill extends StoredRange {
  readonly routeId: number;
  readonly after: StoredPosition | undefined;
  /** Messages looked at so far, and jobs queued of them. */
  readonly lookedAt: number;
  readonly queued: number;
  readonly conditionErrors: number;
}

interface Row {
  readonly route_id: number;
  readonly since: Date;
  readonly until: Date;
  readonly arrived_before: Date | null;
  readonly after_us: string | null;
  readonly after_identity: string | null;
  readonly looked_at: bigint;
  readonly queued: bigint;
  readonly condition_errors: bigint;
}

const columns = `route_id, since, until, arrived_before, (extract(epoch from after_time) * 1000000)::bigint::text as after_us,
  replace(after_identity::text, '-', '') as after_identity, looked_at, queued, condition_errors`;

function toBackfill(row: Row): Backfill {
  const { after_us: afterUs, after_identity: identity } = row;
  return {
    routeId: row.route_id,
    since: row.since,
    until: row.until,
    arrivedBefore: row.arrived_before ?? undefined,
    after: afterUs === null || identity === null ? undefined : { timeUs: Number(afterUs), identity },
    lookedAt: Number(row.looked_at),
    queued: Number(row.queued),
    conditionErrors: Number(row.condition_errors),
  };
}

export async function findBackfill(db: Queryable, routeId: number): Promise<Backfill | undefined> {
  const { rows } = await db.query<Row>({
    text: `select ${columns} from route_backfills where route_id = $1`,
    values: [routeId],
  });
  return rows[0] === undefined ? undefined : toBackfill(rows[0]);
}

/** @returns undefined where the route has one that is not at its end */
export async function startBackfill(
  db: Queryable,
  routeId: number,
  { since, until, arrivedBefore }: StoredRange,
): Promise<Backfill | undefined> {
  const { rows } = await db.query<Row>({
    text: `insert into route_backfills (route_id, since, until, arrived_before) values ($1, $2, $3, $4)
      on conflict do nothing returning ${columns}`,
    values: [routeId, since, until, arrivedBefore],
  });
  return rows[0] === undefined ? undefined : toBackfill(rows[0]);
}

/** One step: what was looked at up to a position. */
export interface BackfillStep {
  readonly to: StoredPosition;
  readonly lookedAt: number;
  readonly queued: number;
  readonly conditionErrors: number;
}

/**
 * Moves it on, in the transaction that queues the jobs.
 * @returns undefined where it does not stand there any more: somebody else moves it, or has ended it
 */
export async function moveBackfill(
  db: Queryable,
  { routeId, after }: Backfill,
  step: BackfillStep,
): Promise<Backfill | undefined> {
  const { rows } = await db.query<Row>({
    text: `update route_backfills set after_time = timestamptz 'epoch' + $3 * interval '1 microsecond', after_identity = $4,
        looked_at = looked_at + $5, queued = queued + $6, condition_errors = condition_errors + $7
      where route_id = $1 and after_identity is not distinct from $2::uuid returning ${columns}`,
    values: [
      routeId,
      after?.identity,
      step.to.timeUs,
      step.to.identity,
      step.lookedAt,
      step.queued,
      step.conditionErrors,
    ],
  });
  return rows[0] === undefined ? undefined : toBackfill(rows[0]);
}

/** @returns whether there was one */
export async function endBackfill(db: Queryable, routeId: number): Promise<boolean> {
  const { rowCount } = await db.query({
    text: 'delete from route_backfills where route_id = $1',
    values: [routeId],
  });
  return rowCount === 1;
}
