import { withDeadline } from '../../lib/deadline.ts';
import { routeJobId } from '../../model/route-job.ts';
import { replayDeadLetters } from '../../store/routes/dead-letters/replay-dead-letters.ts';
import { countDeadLetters } from '../../store/routes/dead-letters/selection.ts';
import { streamInfo } from '../../stream/stream-info.ts';
import { routesStreamName } from '../../stream/subjects.ts';
import { checkRoutes, type RouteTotals } from '../check/check-routes.ts';
import { readRows } from '../check/rows.ts';
import type { SettledOptions } from '../settled.ts';
import { clusterSize } from '../stack/cluster.ts';
import type { Stack } from '../stack/stack.ts';
import type { Violation } from '../violation.ts';
import { ReceivedJobs, startWebhookReceiver } from './receiver.ts';
import { expectedJobs, registerRoutes } from './routes.ts';
import { createStreamReceiver } from './stream-receiver.ts';

/** What a stack with routes is checked for, besides everything else. */
export interface RouteProof {
  /** Waits until nothing is owed any more, and compares. */
  check(options: SettledOptions): Promise<Violation[]>;
  /** Sends all dead letters again, with a delivery process killed meanwhile; then none may be left. */
  replay(options: SettledOptions): Promise<Violation[]>;
  stop(): Promise<void>;
}

export async function startRouteProof(stack: Stack, tenantIds: readonly string[]): Promise<RouteProof> {
  const received = new ReceivedJobs();
  const receiver = startWebhookReceiver(received);
  const stream = await createStreamReceiver(stack.nc, received, stack.shape.clustered ? clusterSize : 1);
  const routes = await registerRoutes(stack.pool, tenantIds, receiver.url);
  const check = async (options: SettledOptions) => {
    const waiting = await whenDelivered(stack, options);
    await stream.read();
    const { stored } = await readRows(stack.pool, 0);
    return checkRoutes({
      expected: expectedJobs(routes, stored),
      received,
      ...(await readBooks(stack)),
      waiting,
    });
  };
  return {
    check,
    async replay(options) {
      receiver.refusing = false;
      const { newestId: upTo, rows } = await countDeadLetters(stack.pool, {});
      const { stop } = options;
      const replaying = replayDeadLetters(stack.pool, {}, { upTo, onProgress: () => undefined, stop });
      const [delivery] = stack.membersOf('delivery');
      await delivery?.kill();
      const replayed = await replaying;
      await delivery?.start();
      const violations = await check(options);
      const { rows: left } = await countDeadLetters(stack.pool, {});
      const isWhole = replayed === rows && left === 0;
      const what = `of ${rows} dead letters ${replayed} were replayed and ${left} are left`;
      return isWhole ? violations : [...violations, { kind: 'books', what }];
    },
    stop: () => receiver.stop(),
  };
}

/** Polls until no job is owed, on its way or waiting for another attempt. @returns how many are left */
async function whenDelivered(stack: Stack, { timeoutMs, now, stop }: SettledOptions): Promise<number> {
  const deadline = now() + timeoutMs;
  let left = Number.NaN;
  while (now() < deadline && !stop.aborted) {
    left = (await waitingJobs(stack).catch(() => undefined)) ?? left;
    if (left === 0) break;
    await Bun.sleep(50);
  }
  return left;
}

async function waitingJobs({ pool, nc }: Stack): Promise<number> {
  // In this order: a job moves on only in this direction.
  const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from route_outbox');
  const { state } = await withDeadline(streamInfo(nc, routesStreamName), 1_000, () => {
    throw new Error('NATS did not answer within 1 s');
  });
  const scheduled = await pool.query<{ n: number }>('select count(*)::int as n from route_schedule');
  return (rows[0]?.n ?? 0) + state.messages + (scheduled.rows[0]?.n ?? 0);
}

async function readBooks({ pool }: Stack): Promise<{ totals: RouteTotals; deadLetters: string[] }> {
  const letters = await pool.query<{ route_id: number; identity: string }>(
    `select route_id, replace(identity::text, '-', '') as identity from dead_letters`,
  );
  const { rows } = await pool.query<Omit<RouteTotals, 'held'>>(
    `select coalesce(sum(matched), 0)::int as matched, coalesce(sum(delivered), 0)::int as delivered,
       coalesce(sum(dead), 0)::int as dead, coalesce(sum(evicted), 0)::int as evicted,
       coalesce(sum(replayed), 0)::int as replayed, coalesce(sum(purged), 0)::int as purged from route_totals`,
  );
  const [totals] = rows;
  if (totals === undefined) throw new Error('the totals of the routes cannot be read');
  return {
    totals: { ...totals, held: letters.rows.length },
    deadLetters: letters.rows.map(({ route_id: routeId, identity }) => routeJobId({ routeId, identity })),
  };
}
