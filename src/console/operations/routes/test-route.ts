import Type from 'typebox';
import { findRoute } from '../../../store/registry/find-routes.ts';
import { selectLastStored } from '../../../store/routes/select-stored.ts';
import { defineOperation } from '../../operation.ts';
import { ok } from '../../reply.ts';
import { closed, count } from '../../schemas.ts';
import { destinationOf, draftRoute, openSecrets } from './draft.ts';
import { ofRoute, routeMembers, tag } from './route-schema.ts';

const exampleSchema = closed({
  job_ids: Type.Array(Type.String()),
  line: Type.String({ description: '`POST https://example.org/hook`' }),
  headers: Type.Record(Type.String(), Type.String(), { description: 'those that are secret are starred' }),
  body: Type.String(),
});

export const test = defineOperation({
  method: 'POST',
  path: '/tenants/{tenant_id}/routes/{name}/test',
  id: 'testRoute',
  tag,
  summary: 'What a route would send of the last stored messages',
  description: 'Sends nothing. A filter or condition in the body counts for the test only.',
  access: 'write',
  params: ofRoute,
  body: closed({
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'messages to look at; default 100' }),
    ),
    show: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 100, description: 'requests to show; default 1' }),
    ),
    topic_filter: routeMembers.topic_filter,
    condition: routeMembers.condition,
  }),
  answers: {
    200: {
      description: 'What it would be',
      schema: closed({
        looked_at: count,
        matched: count,
        condition_errors: count,
        examples: Type.Array(exampleSchema),
      }),
    },
  },
  handle: async ({ params: { tenant_id: tenantId, name }, body }, { read, services }) => {
    const { limit = 100, show = 1, ...changes } = body;
    const { route, secrets: sealed } = await findRoute(services.pool, tenantId, name);
    const before = { ...route, destination: destinationOf(route) };
    const draft = { ...draftRoute({ tenantId, name }, changes, before), routeId: route.routeId };
    const secrets =
      services.routes.secretsKey === undefined ? {} : openSecrets(sealed, route, services.routes);
    const messages = await read((client) => selectLastStored(client, tenantId, limit));
    const found = services.routes.foresee({ route: draft, secrets, messages, show });
    return ok({
      looked_at: messages.length,
      matched: found.matched,
      condition_errors: found.conditionErrors,
      examples: found.examples.map(({ jobIds, ...example }) => ({ job_ids: jobIds, ...example })),
    });
  },
});
