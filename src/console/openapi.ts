import type { TObject, TSchema } from 'typebox';
import { ingestPaths, ingestTag } from './ingest-document.ts';
import { type Answer, isOfTenant, type Operation } from './operation.ts';
import { problems } from './problem.ts';

type Json = Readonly<Record<string, unknown>>;

/** OpenAPI 3.1, from the same schemas that check what comes in. */
export function openApiDocument(
  operations: readonly Operation[],
  version: string,
  gatewayUrl?: string,
): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method.toLowerCase()] = describeOperation(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tributary',
      version,
      description: 'Operator and tenant API. Errors are problem details (RFC 9457).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    tags: [...new Set([...operations.map(({ tag }) => tag), ingestTag])].map((name) => ({ name })),
    security: [{ key: [] }, { session: [] }],
    paths: { ...paths, ...ingestPaths(gatewayUrl) },
    components: { securitySchemes, schemas: { Problem: problemSchema }, responses: sharedResponses() },
  };
}

function describeOperation(operation: Operation): Json {
  const { id, tag, summary, description, access, body, upload } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, whoMay[access]].filter((part) => part !== undefined).join('\n\n'),
    ...(access === 'open' ? { security: [] } : {}),
    parameters: [...parametersOf('path', operation.params), ...parametersOf('query', operation.query)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    ...(upload === undefined
      ? {}
      : {
          requestBody: { required: true, content: { [upload.contentType]: { schema: { type: 'string' } } } },
        }),
    responses: { ...answersOf(operation), ...refusalsOf(operation) },
  };
}

const whoMay = {
  open: undefined,
  read: 'Any key: level `read` or above.',
  write: 'Level `write` or above.',
  admin: 'Level `admin`.',
  operator: 'Operator keys only.',
} as const;

function parametersOf(place: 'path' | 'query', { properties, required }: TObject): Json[] {
  const wanted: readonly string[] = required ?? [];
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || (wanted.includes(name) && !('default' in schema)),
    schema,
  }));
}

function answersOf({ answers }: Operation): Record<string, Json> {
  const described = Object.entries(answers).map(([status, { description, schema, contentType }]) => {
    const types = typesOf(contentType, schema);
    const content = Object.fromEntries(types.map((type) => [type, { schema: contentOf(type, schema) }]));
    return [status, { description, ...(types.length === 0 ? {} : { content }) }];
  });
  return Object.fromEntries(described);
}

function typesOf(contentType: Answer['contentType'], schema: TSchema | undefined): readonly string[] {
  if (contentType !== undefined) return [contentType].flat();
  return schema === undefined ? [] : ['application/json'];
}

function contentOf(type: string, schema: TSchema | undefined): unknown {
  return type === 'application/json' && schema !== undefined ? schema : { type: 'string' };
}

/** What every operation of its kind may be refused with. */
function refusalsOf(operation: Operation): Record<string, Json> {
  const takesBody = operation.body !== undefined || operation.upload !== undefined;
  const statuses = [400, 401, 429, 503];
  if (operation.access !== 'open') statuses.push(403);
  if (isOfTenant(operation)) statuses.push(404);
  if (takesBody) statuses.push(413, 415);
  if (takesBody && operation.access !== 'open') statuses.push(409);
  return Object.fromEntries(
    statuses.toSorted().map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
  );
}

function sharedResponses(): Json {
  const byStatus = Map.groupBy(Object.values(problems), ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      `Problem${status}`,
      {
        description: those.map(({ detail }) => detail).join('. '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        ...(status === 429 || status === 503 ? { headers: retryAfter } : {}),
      },
    ]),
  );
}

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer', minimum: 1 } },
};

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'what is wrong, with the field and its value' },
  },
};

const securitySchemes = {
  key: {
    type: 'http',
    scheme: 'bearer',
    description: 'A tenant key (`trk_…`) or an operator key (`trbop_…`).',
  },
  device: { type: 'apiKey', in: 'header', name: 'X-Provision-Token', description: 'A device’s token.' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'tributary_session',
    description:
      'A browser that signed in; over TLS the cookie is `__Host-tributary_session`. Changes also carry `X-CSRF-Token`.',
  },
};
