import type { Command } from 'commander';
import type pg from 'pg';
import type { TenantId } from '../../model/identifiers.ts';
import { routeCapDefaults } from '../../model/route.ts';
import { findRoute } from '../../store/registry/find-routes.ts';
import type { StoredRoute } from '../../store/registry/route-row.ts';
import { type Backfill, endBackfill, findBackfill, startBackfill } from '../../store/routes/backfills.ts';
import { countStored } from '../../store/routes/select-stored.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { change } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { type Invocation, invocationOf } from '../define-command.ts';
import { CliError, usageError } from '../exit-codes.ts';
import { formatTime, parseSince } from '../output/duration.ts';
import { toJson } from '../output/json.ts';
import { createLazyBar } from '../output/lazy-bar.ts';
import { formatCount } from '../output/number.ts';
import { positiveNumber } from '../parsers.ts';
import { runBackfill } from '../route/run-backfill.ts';
import { defineRouteCommand } from './route-change.ts';

interface Options {
  readonly since?: number;
  readonly until?: number;
  readonly rate?: number;
  readonly cancel?: boolean;
}

export function addRouteBackfill(route: Command, context: CliContext): void {
  const when = (text: string) => parseSince(text, context.clock());
  defineRouteCommand(route, {
    usage: 'backfill',
    summary: 'send a route stored messages of the past',
    details:
      'Those that its filter and condition match, the oldest first, by their event time. Without --until these are the ' +
      'messages that arrived before the route was made: later ones it has had. Broken off, by Ctrl-C or otherwise, it goes ' +
      'on where it was when the command is given again without --since. The route’s own cap does not count here; --rate ' +
      'does.',
    examples: [
      'route backfill acme alerts --since 7d',
      'route backfill acme alerts --since 2026-01-01 --until 2026-02-01',
      'route backfill acme alerts',
      'route backfill acme alerts --cancel',
    ],
  })
    .option('-s, --since <when>', 'from then on: 24h, 7d or a time', when)
    .option('-u, --until <when>', 'up to then', when)
    .option('--rate <n>', 'messages per second (default: the route’s own rate)', positiveNumber(100_000))
    .option('--cancel', 'forget one that is not at its end; what is queued is sent')
    .action((tenantId: TenantId, name: string, options: Options, self: Command) => {
      const invocation = invocationOf(context, self);
      return withDatabase(invocation, async (pool) => {
        const { route: found } = await findRoute(pool, tenantId, name);
        if (options.cancel === true) await cancel(pool, invocation, found);
        else await backfill(pool, invocation, found, options);
      });
    });
}

async function cancel(pool: pg.Pool, invocation: Invocation, route: StoredRoute): Promise<void> {
  const { terminal, json } = invocation;
  const { tenantId, name: target } = route;
  const end = async (client: pg.PoolClient) => {
    if (!(await endBackfill(client, route.routeId)))
      throw new CliError(`route ${target} has no unfinished backfill: there is nothing to cancel.`);
  };
  await change(pool, invocation, end, () => ({ tenantId, action: 'route.backfill_cancel', target }));
  terminal.out(
    json
      ? toJson({ tenant_id: route.tenantId, name: route.name, cancelled: true })
      : `The backfill of route ${route.name} is forgotten; what it queued is sent.`,
  );
}

async function backfill(
  pool: pg.Pool,
  invocation: Invocation,
  route: StoredRoute,
  options: Options,
): Promise<void> {
  if (!route.enabled)
    throw new CliError(
      `route ${route.name} is off: turn it on first, with tributary route enable ${route.tenantId} ${route.name}.`,
    );
  const begun = await change(
    pool,
    invocation,
    (client) => begin(client, route, options, invocation.clock()),
    ({ since, until, lookedAt }) => ({
      tenantId: route.tenantId,
      action: 'route.backfill',
      target: route.name,
      detail: { since, until, rate: options.rate, goes_on_after: lookedAt === 0 ? undefined : lookedAt },
    }),
  );
  const total = await countStored(pool, route.tenantId, begun);
  const stop = invocation.signals.stop();
  const bar = createLazyBar(invocation.terminal, 'queueing');
  const rate = options.rate ?? route.ratePerSecond ?? routeCapDefaults.ratePerSecond;
  const result = await runBackfill({
    pool,
    route,
    backfill: begun,
    rate,
    onProgress: (lookedAt) => bar.update(Math.min(lookedAt, total), total),
    stop,
    now: () => performance.now(),
  }).finally(bar.stop);
  if (result.isDone) await endBackfill(pool, route.routeId);
  report(invocation, route, result);
}

/** A new one, or the one that was broken off. */
async function begin(
  db: Queryable,
  route: StoredRoute,
  { since, until }: Options,
  nowMs: number,
): Promise<Backfill> {
  const { routeId, tenantId, name } = route;
  if (since === undefined) {
    const unfinished = await findBackfill(db, routeId);
    if (unfinished === undefined)
      throw usageError(`say from when on with --since: route ${name} has no unfinished backfill.`);
    if (until !== undefined)
      throw usageError('--until is of a new backfill: give --since with it, or leave it out.');
    return unfinished;
  }
  if (until !== undefined && until <= since) throw usageError('--until lies before --since: exchange them.');
  const started = await startBackfill(db, routeId, {
    since: new Date(since),
    // Event times may lie ahead of the arrival.
    until: new Date(until ?? nowMs + 366 * 86_400_000),
    arrivedBefore: until === undefined ? route.createdAt : undefined,
  });
  if (started !== undefined) return started;
  const unfinished = await findBackfill(db, routeId);
  const from = unfinished === undefined ? '' : ` from ${formatTime(unfinished.since.getTime())} UTC`;
  throw new CliError(
    `route ${name} has an unfinished backfill${from}: tributary route backfill ${tenantId} ${name} goes on with it, ` +
      'and --cancel forgets it.',
  );
}

function report(
  { terminal, json }: Invocation,
  { tenantId, name }: StoredRoute,
  { backfill: { lookedAt, queued, conditionErrors }, isDone }: { backfill: Backfill; isDone: boolean },
): void {
  if (json) {
    const counts = { looked_at: lookedAt, queued, condition_errors: conditionErrors };
    terminal.out(toJson({ tenant_id: tenantId, name, done: isDone, ...counts }));
  } else {
    const failed =
      conditionErrors === 0
        ? ''
        : ` Of ${formatCount(conditionErrors)} the condition could not be evaluated.`;
    terminal.out(
      `Messages queued for route ${name}: ${formatCount(queued)} of ${formatCount(lookedAt)}.${failed}`,
    );
  }
  if (!isDone)
    throw new CliError(
      `stopped before the end: tributary route backfill ${tenantId} ${name} goes on from there.`,
    );
}
