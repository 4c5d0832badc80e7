import type { Command } from 'commander';
import type { TenantId } from '../../model/identifiers.ts';
import { findRoute, listRoutes } from '../../store/registry/find-routes.ts';
import type { StoredRoute } from '../../store/registry/route-row.ts';
import { selectRouteStates } from '../../store/routes/select-route-states.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { printListing } from '../listing.ts';
import { toJson } from '../output/json.ts';
import { formatFields } from '../output/table.ts';
import { parseRouteName, parseTenantId } from '../parsers.ts';
import { askPlace } from '../route/ask-place.ts';
import { routeSettings } from '../route/route-options.ts';
import { openSecretsIfPossible } from '../route/secrets-key.ts';
import {
  destinationOf,
  placeAsJson,
  type RouteWithState,
  routeColumns,
  routeFields,
  routeWithStateAsJson,
} from '../route/view.ts';

export function addRouteList(route: Command, context: CliContext): void {
  defineCommand(route, {
    usage: 'list',
    summary: 'list routes and what became of their messages',
    details:
      'DELIVERED counts since the route was made; WAITING is on its way or waits for another attempt; DEAD are ' +
      'dead letters that are held now. A route that is DISABLED was turned off by its destination.',
    examples: ['route list --tenant acme', 'route list --json'],
  })
    .option('-t, --tenant <tenant_id>', 'of this tenant only', parseTenantId)
    .action(async (options: { readonly tenant?: TenantId }, self: Command) => {
      const invocation = invocationOf(context, self);
      const rows = await withDatabase(invocation, async (pool) =>
        withStates(pool, await listRoutes(pool, options.tenant)),
      );
      printListing(invocation, {
        rows,
        columns: routeColumns(options.tenant === undefined),
        toJson: routeWithStateAsJson,
        empty: 'No routes yet. Make one: tributary route add <tenant_id> <name> --webhook <url>',
      });
    });
}

export function addRouteShow(route: Command, context: CliContext): void {
  defineCommand(route, {
    usage: 'show',
    summary: 'show one route, what became of its messages, and what waits',
    examples: ['route show acme alerts', 'route show acme alerts --json'],
    settings: routeSettings,
  })
    .argument('<tenant_id>', 'whose', parseTenantId)
    .argument('<name>', 'which', parseRouteName)
    .action(async (tenantId: TenantId, name: string, _options: unknown, self: Command) => {
      const invocation = invocationOf(context, self);
      const { found, shown } = await withDatabase(invocation, async (pool) => {
        const found = await findRoute(pool, tenantId, name);
        const [shown] = await withStates(pool, [found.route]);
        return { found, shown };
      });
      if (shown === undefined) return;
      const place = await askPlace(invocation, { tenantId, destination: destinationOf(found.route) });
      const secrets = openSecretsIfPossible(found.secrets, { tenantId, name }, invocation);
      invocation.terminal.out(
        invocation.json
          ? toJson({ ...routeWithStateAsJson(shown), destination_state: placeAsJson(place) })
          : formatFields(routeFields(shown, secrets, place, context.clock())),
      );
    });
}

async function withStates(db: Queryable, routes: readonly StoredRoute[]): Promise<RouteWithState[]> {
  const states = await selectRouteStates(
    db,
    routes.map(({ routeId }) => routeId),
  );
  return routes.flatMap((route) => {
    const state = states.get(route.routeId);
    return state === undefined ? [] : [{ route, state }];
  });
}
