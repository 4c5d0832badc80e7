import Type from 'typebox';
import { isSamePlace, nextRouteSecrets, requireSecretsAnew } from '../../../model/next-route-secrets.ts';
import type { Destination } from '../../../model/route-destination.ts';
import { addRoute } from '../../../store/registry/add-route.ts';
import { removeRoute, saveRoute, setRouteEnabled } from '../../../store/registry/change-route.ts';
import {
  findRoute,
  listRoutes,
  type RouteWithSecrets,
  showRoute,
} from '../../../store/registry/find-routes.ts';
import type { StoredRoute } from '../../../store/registry/route-row.ts';
import { selectRouteStates } from '../../../store/routes/select-route-states.ts';
import type { ConsoleServices } from '../../context.ts';
import { decodeCursor, pageOf, textInCursor } from '../../cursor.ts';
import { defineOperation, type KeyedOperation } from '../../operation.ts';
import { created, noContent, ok } from '../../reply.ts';
import { closed, listOf, listQuery, ofTenant } from '../../schemas.ts';
import {
  type Draft,
  destinationOf,
  draftRoute,
  openSecrets,
  type RouteInput,
  sealSecrets,
  secretChangesOf,
  withoutSecrets,
} from './draft.ts';
import { newSecret, rotate } from './rotate-secret.ts';
import {
  changedRouteSchema,
  destinationInput,
  ofRoute,
  routeMembers,
  routeNameSchema,
  routeSchema,
  shownRouteSchema,
  showPlace,
  showRouteRow,
  tag,
} from './route-schema.ts';
import { test } from './test-route.ts';

/** Counters lie in tables that belong to no tenant: they are asked for by the ids that row-level security has let through. */
async function showAll({ pool }: ConsoleServices, routes: readonly StoredRoute[]) {
  const ids = routes.map(({ routeId }) => routeId);
  const states = await selectRouteStates(pool, ids);
  return routes.map((route) => showRouteRow(route, states.get(route.routeId)));
}

async function showChanged(
  services: ConsoleServices,
  route: StoredRoute,
  { destination, generated }: { readonly destination: Destination; readonly generated: string | undefined },
) {
  const [shown] = await showAll(services, [route]);
  const note = services.routes.noteOn(destination);
  return {
    ...shown,
    ...(generated === undefined ? {} : { signing_secret: generated }),
    ...(note === undefined ? {} : { note }),
  };
}

const list = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/routes',
  id: 'listRoutes',
  tag,
  summary: 'A tenant’s routes by name, and what became of their messages',
  access: 'read',
  params: ofTenant,
  query: listQuery,
  answers: { 200: { description: 'A page of routes', schema: listOf(routeSchema) } },
  handle: async ({ params, query: { cursor, limit } }, { read, services }) => {
    const [after = ''] = decodeCursor(cursor, [textInCursor]) ?? [];
    const all = await read((client) => listRoutes(client, params.tenant_id));
    const rest = all.filter(({ name }) => after === '' || name > after);
    const shown = await showAll(services, rest.slice(0, limit + 1));
    return ok(
      pageOf(
        shown,
        limit,
        ({ name }) => [name],
        (row) => row,
      ),
    );
  },
});

const get = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/routes/{name}',
  id: 'getRoute',
  tag,
  summary: 'One route, what became of its messages and what waits',
  access: 'read',
  params: ofRoute,
  answers: { 200: { description: 'The route', schema: shownRouteSchema } },
  handle: async ({ params }, { read, services }) => {
    const route = await read((client) => showRoute(client, params.tenant_id, params.name));
    const [[shown], place] = await Promise.all([
      showAll(services, [route]),
      services.routes.placeState(route.tenantId, destinationOf(route)),
    ]);
    return ok({ ...shown, destination_state: showPlace(place) });
  },
});

const create = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/routes',
  id: 'createRoute',
  tag,
  summary: 'Make a route',
  description:
    'It sends every message accepted from now on that its filter and its condition match. A webhook is signed as ' +
    'Standard Webhooks says; the answer holds the secret, this once, unless you bring one. What is wrong in a filter, ' +
    'a condition or a template is told with its `field` and, from 0, its `position`.',
  access: 'write',
  params: ofTenant,
  body: closed({ name: routeNameSchema, destination: destinationInput, ...routeMembers }),
  answers: { 201: { description: 'Made', schema: changedRouteSchema } },
  handle: async ({ params: { tenant_id: tenantId }, body: { name, ...body } }, { services, change }) => {
    const { routes } = services;
    const draft = draftRoute({ tenantId, name }, body);
    const { kind } = draft.destination;
    const { secrets, generated } = nextRouteSecrets(kind, secretChangesOf(body.secrets), undefined, () =>
      newSecret(services),
    );
    const sealed = sealSecrets(secrets, draft, routes);
    const note = { action: 'route.create', target: name, detail: withoutSecrets(body) };
    const made = await change(note, (client) =>
      addRoute(client, { ...draft, secrets: sealed }, routes.maxPerTenant),
    );
    return created(await showChanged(services, made, { destination: draft.destination, generated }));
  },
});

const patch = defineOperation({
  method: 'PATCH',
  path: '/tenants/{tenant_id}/routes/{name}',
  id: 'changeRoute',
  tag,
  summary: 'Change a route',
  description:
    'What is absent stays. Where the destination becomes another host, secret headers and a password are to be given anew, or taken ' +
    'away with null. Jobs that wait go to the new destination. A new signing secret counts at once: ' +
    '`rotate-secret` lets the old one count beside it.',
  access: 'write',
  params: ofRoute,
  body: closed({ destination: Type.Optional(destinationInput), ...routeMembers }),
  answers: { 200: { description: 'As it is now', schema: changedRouteSchema } },
  handle: async ({ params: { tenant_id: tenantId, name }, body }, { services, change }) => {
    const note = { action: 'route.change', target: name, detail: withoutSecrets(body) };
    const changed = await change(note, async (client) => {
      const found = await findRoute(client, tenantId, name, { lock: true });
      const before = { ...found.route, destination: destinationOf(found.route) };
      const draft = draftRoute({ tenantId, name }, body, before);
      const { sealed, generated } = secretsFor(draft, found, body, services);
      await saveRoute(client, found.route.routeId, { ...draft, secrets: sealed });
      const { destination } = draft;
      return { destination, generated, route: await showRoute(client, tenantId, name) };
    });
    return ok(await showChanged(services, changed.route, changed));
  },
});

/** Where neither they nor the destination change, the key is not needed. */
function secretsFor(draft: Draft, found: RouteWithSecrets, body: RouteInput, services: ConsoleServices) {
  const { kind } = draft.destination;
  const from = destinationOf(found.route);
  const isSameKind = from.kind === kind;
  if (body.secrets === undefined && isSamePlace(from, draft.destination))
    return { sealed: found.secrets, generated: undefined };
  const before = isSameKind ? openSecrets(found.secrets, draft, services.routes) : undefined;
  const changes = secretChangesOf(body.secrets);
  if (before !== undefined) requireSecretsAnew(from, draft.destination, before, changes);
  const { secrets, generated } = nextRouteSecrets(kind, changes, before, () => newSecret(services));
  return { sealed: sealSecrets(secrets, draft, services.routes), generated };
}

const remove = defineOperation({
  method: 'DELETE',
  path: '/tenants/{tenant_id}/routes/{name}',
  id: 'deleteRoute',
  tag,
  summary: 'Remove a route',
  description: 'Its dead letters and counters stay; what waits for it becomes dead letters.',
  access: 'write',
  params: ofRoute,
  answers: { 204: { description: 'Removed' } },
  handle: async ({ params }, { change }) => {
    await change({ action: 'route.delete', target: params.name }, (client) =>
      removeRoute(client, params.tenant_id, params.name),
    );
    return noContent();
  },
});

function turn(verb: 'enable' | 'disable', summary: string): KeyedOperation {
  return defineOperation({
    method: 'POST',
    path: `/tenants/{tenant_id}/routes/{name}/${verb}`,
    id: `${verb}Route`,
    tag,
    summary,
    access: 'write',
    params: ofRoute,
    answers: { 200: { description: 'As it is now', schema: routeSchema } },
    handle: async ({ params: { tenant_id: tenantId, name } }, { change, services }) => {
      const route = await change({ action: `route.${verb}`, target: name }, async (client) => {
        await setRouteEnabled(client, tenantId, name, { enabled: verb === 'enable' });
        return showRoute(client, tenantId, name);
      });
      const [shown] = await showAll(services, [route]);
      return ok(shown);
    },
  });
}

export const routeOperations: readonly KeyedOperation[] = [
  list,
  create,
  get,
  patch,
  remove,
  turn('enable', 'Turn a route on again, for messages accepted from now on'),
  turn('disable', 'Turn a route off'),
  rotate,
  test,
];
