import type { ReceivedJob } from '../routes/receiver.ts';
import type { Violation } from '../violation.ts';

/** Sums over all routes. */
export interface RouteTotals {
  readonly matched: number;
  readonly delivered: number;
  readonly dead: number;
  readonly evicted: number;
  readonly replayed: number;
  readonly purged: number;
  /** Rows of `dead_letters`. */
  readonly held: number;
}

export interface RouteEvidence {
  /** Ids of the jobs that have to be. */
  readonly expected: ReadonlySet<string>;
  readonly received: ReadonlyMap<string, ReceivedJob>;
  /** Ids of the jobs that are dead letters, one for each letter. */
  readonly deadLetters: readonly string[];
  readonly totals: RouteTotals;
  /** Jobs still owed, in ROUTES or in the schedule. */
  readonly waiting: number;
}

const shown = 5;

/**
 * Every matching stored message has arrived or is a dead letter, none came that does not match, each under one id, as the
 * same bytes and signed where it is to be, and the counters say the same. Deliveries may be counted more often than jobs: delivery is at least once.
 */
export function checkRoutes({
  expected,
  received,
  deadLetters,
  totals,
  waiting,
}: RouteEvidence): Violation[] {
  const dead = new Set(deadLetters);
  const arrived = [...received.values()].filter(({ yes }) => yes > 0);
  const hasArrived = new Set(arrived.map(({ jobId }) => jobId));
  const missing = [...expected].filter((jobId) => !hasArrived.has(jobId) && !dead.has(jobId));
  const foreign = [...received.keys(), ...dead].filter((jobId) => !expected.has(jobId));
  const renamed = [...received.values()].filter(({ jobId, ids }) => ids.size !== 1 || !ids.has(jobId));
  const altered = [...received.values()].filter(({ bodies, forged }) => bodies.size !== 1 || forged > 0);
  const { matched, delivered, replayed, evicted, purged, held } = totals;
  // What was replayed has matched once more, as long as it was one letter a job.
  const wantedMatched = expected.size + replayed;
  return [
    ...several('undelivered', missing, (id) => `job ${id} has not arrived and is no dead letter`),
    ...several('misrouted', foreign, (id) => `job ${id} is of no stored message that matches`),
    ...several(
      'changed',
      renamed,
      ({ jobId, ids }) => `job ${jobId} came under the ids ${[...ids].join(', ')}`,
    ),
    ...several(
      'changed',
      altered,
      ({ jobId, bodies, forged }) =>
        `job ${jobId} came as ${bodies.size} different texts, and ${forged} times with a signature that is not its own`,
    ),
    ...books(waiting === 0, `${waiting} jobs still wait`),
    ...books(
      matched <= wantedMatched && matched >= expected.size,
      `the routes count ${matched} matched jobs, and there are ${wantedMatched}`,
    ),
    ...books(
      delivered + totals.dead >= matched,
      `${matched} jobs matched, and only ${delivered} delivered and ${totals.dead} dead are counted`,
    ),
    ...books(
      held === totals.dead - evicted - replayed - purged,
      `${held} dead letters are held; counted are ${totals.dead} dead, ${replayed} replayed, ${evicted} evicted, ${purged} purged`,
    ),
  ];
}

function books(holds: boolean, what: string): Violation[] {
  return holds ? [] : [{ kind: 'books', what }];
}

/** The first few by name, the rest as a number; one violation each. */
function several<T>(
  kind: Violation['kind'],
  found: readonly T[],
  describe: (each: T) => string,
): Violation[] {
  const rest = found.length - shown;
  const named = found.slice(0, shown).map((each): Violation => ({ kind, what: describe(each) }));
  return rest > 0 ? [...named, { kind, what: `and ${rest} jobs more` }] : named;
}
