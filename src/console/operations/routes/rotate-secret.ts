import Type from 'typebox';
import { createSigningSecret, maxSigningSecrets, rotatedSecrets } from '../../../model/signing-secret.ts';
import { secretBytes } from '../../../model/token.ts';
import { saveRoute } from '../../../store/registry/change-route.ts';
import { findRoute, type RouteWithSecrets } from '../../../store/registry/find-routes.ts';
import type { Queryable } from '../../../store/statements/queryable.ts';
import type { ConsoleServices } from '../../context.ts';
import { defineOperation } from '../../operation.ts';
import { Problem } from '../../problem.ts';
import { ok } from '../../reply.ts';
import { closed } from '../../schemas.ts';
import { destinationOf, openSecrets, sealSecrets } from './draft.ts';
import { ofRoute, tag } from './route-schema.ts';

export const newSecret = ({ randomBytes }: ConsoleServices) => createSigningSecret(randomBytes(secretBytes));

export const rotate = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/routes/{name}/rotate-secret',
  id: 'rotateRouteSecret',
  tag,
  summary: 'Give a webhook a new signing secret, the old one counting beside it',
  description:
    'From now on each request carries a signature of each: the receiver can be changed over at any time. Then ' +
    '`finish=true` takes the old ones away.',
  access: 'write',
  params: ofRoute,
  query: { finish: Type.Boolean({ default: false }) },
  answers: {
    200: {
      description: 'Rotated',
      schema: closed({
        signing_secrets: Type.Integer({ minimum: 1, description: 'that count now' }),
        signing_secret: Type.Optional(Type.String({ description: 'the new one, shown this once' })),
      }),
    },
  },
  handle: async ({ params: { tenant_id: tenantId, name }, query }, { change, services }) => {
    const secret = query.finish ? undefined : newSecret(services);
    const note = { action: 'route.rotate-secret', target: name, detail: { finish: query.finish } };
    const signing = await change(note, async (client) => {
      const found = await findRoute(client, tenantId, name, { lock: true });
      return rotateIn(client, found, secret, services);
    });
    return ok({
      signing_secrets: signing.length,
      ...(secret === undefined ? {} : { signing_secret: secret }),
    });
  },
});

async function rotateIn(
  client: Queryable,
  { route, secrets }: RouteWithSecrets,
  secret: string | undefined,
  { routes }: ConsoleServices,
): Promise<string[]> {
  const destination = destinationOf(route);
  if (destination.kind !== 'webhook')
    throw new Problem('conflict', 'The route is no webhook: only requests of webhooks are signed');
  const before = openSecrets(secrets, route, routes);
  const signing = rotatedSecrets(before.signing_secrets ?? [], secret);
  if (signing.length === 0)
    throw new Problem('conflict', 'The route signs nothing: without finish it is given a secret');
  if (signing.length > maxSigningSecrets)
    throw new Problem('conflict', `The route signs with ${maxSigningSecrets} secrets already: finish first`);
  const sealed = sealSecrets({ ...before, signing_secrets: signing }, route, routes);
  await saveRoute(client, route.routeId, { ...route, destination, secrets: sealed });
  return signing;
}
