import Type, { type TSchema } from 'typebox';
import { refusals } from '../model/errors.ts';
import { msgTypes } from '../model/identifiers.ts';
import { reasons } from '../model/reasons.ts';
import { closed, deviceIdSchema, nullable, oneOf, tenantIdSchema, timeSchema } from './schemas.ts';

/**
 * The gateway's part of the document. The gateway checks by hand, since it is the hot path: a test sends each request to a
 * running one and holds its answers to these schemas.
 */
export interface IngestOperation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly params: Readonly<Record<string, TSchema>>;
  readonly headers?: Readonly<Record<string, TSchema>>;
  readonly body?: TSchema;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: TSchema }>>;
  /** Statuses that are problem details. */
  readonly refusals: readonly number[];
}

const payload = {
  site_id: Type.String({ minLength: 1, maxLength: 128 }),
  metrics: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'a heartbeat may have none' }),
  ),
  ts: Type.Optional(Type.Unknown({ description: 'when it happened; absent: when it arrives' })),
  seq: Type.Optional(Type.Unknown({ description: 'the device’s own counter' })),
  version: Type.Optional(Type.Unknown()),
};
const reason = oneOf([...Object.keys(reasons), 'NOT_AUTHORIZED']);
const accepted = closed({ status: oneOf(['accepted']) });
const stored = Type.Object({ status: oneOf(['stored']), time: timeSchema });
const duplicate = Type.Object({
  status: oneOf(['duplicate']),
  first: Type.Optional(Type.Object({ time: nullable(timeSchema) })),
});
const itemResult = Type.Object({
  index: Type.Integer({ minimum: 0 }),
  status: oneOf(['accepted', 'rejected']),
  reason: Type.Optional(Type.String()),
  receipt: Type.Optional(Type.String()),
});

export const ingestOperations: readonly IngestOperation[] = [
  {
    method: 'post',
    path: '/ingest/v1/tenant/{tenant_id}/device/{device_id}/{msg_type}',
    id: 'ingestMessage',
    summary: 'Take one message',
    description:
      'A 202 says that it is durable and will be settled exactly once; its receipt (`Location`) tells how. With `Prefer: wait=N` the answer is held until it is settled.',
    security: [{ device: [] }],
    params: { tenant_id: tenantIdSchema, device_id: deviceIdSchema, msg_type: oneOf(msgTypes) },
    headers: {
      'Idempotency-Key': Type.String({
        pattern: '^[\\x21-\\x7e]{1,200}$',
        description: 'the same again is the same message',
      }),
      Prefer: Type.String({
        pattern: '^wait=\\d+$',
        description: 'hold the answer so many seconds at most; 30',
      }),
    },
    body: Type.Object(payload),
    answers: {
      202: { description: 'Durable', schema: accepted },
      201: { description: 'Stored (only with `Prefer: wait`)', schema: stored },
      200: { description: 'A duplicate (only with `Prefer: wait`)', schema: duplicate },
    },
    refusals: [400, 401, 403, 408, 413, 415, 422, 429, 503],
  },
  {
    method: 'post',
    path: '/ingest/v1/batch',
    id: 'ingestBatch',
    summary: 'Take up to 100 messages',
    description:
      'Each has an outcome of its own. A 503 says that none was taken for certain: send the batch again.',
    security: [],
    params: {},
    body: Type.Object({
      messages: Type.Array(
        Type.Object({
          tenant_id: tenantIdSchema,
          device_id: deviceIdSchema,
          msg_type: Type.Optional(oneOf(msgTypes)),
          provision_token: Type.String({ minLength: 1, writeOnly: true }),
          msg_id: Type.Optional(Type.String({ description: 'as Idempotency-Key' })),
          ...payload,
        }),
        { minItems: 1, maxItems: 100 },
      ),
    }),
    answers: {
      200: {
        description: 'An outcome for each',
        schema: closed({
          accepted: Type.Integer({ minimum: 0 }),
          rejected: Type.Integer({ minimum: 0 }),
          results: Type.Array(itemResult),
        }),
      },
    },
    refusals: [400, 408, 413, 415, 503],
  },
  {
    method: 'get',
    path: '/ingest/v1/receipts/{receipt_id}',
    id: 'readReceipt',
    summary: 'What became of a message',
    description: 'Told to whoever has the token that it was sent with, right or wrong.',
    security: [{ device: [] }],
    params: { receipt_id: Type.String() },
    answers: {
      200: {
        description: 'As far as it is known',
        schema: Type.Object({
          status: oneOf(['queued', 'stored', 'duplicate', 'quarantined']),
          arrived_at: timeSchema,
          time: Type.Optional(timeSchema),
          reason: Type.Optional(nullable(reason)),
          deliveries: Type.Optional(
            Type.Array(
              Type.Object({ route: Type.String(), status: oneOf(['waiting', 'delivered', 'dead']) }),
            ),
          ),
        }),
      },
    },
    refusals: [401, 404, 410, 503],
  },
  {
    method: 'get',
    path: '/ingest/v1/metrics/rate-limits',
    id: 'readWorkerLimits',
    summary: 'What the workers’ limiters have counted',
    description: 'Operator keys only.',
    security: [{ key: [] }],
    params: {},
    answers: {
      200: {
        description: 'Of each live worker, and summed up',
        schema: closed({
          rate_limit_stats: Type.Object({}),
          workers: Type.Array(Type.Object({ worker_id: Type.String() })),
          timestamp: timeSchema,
        }),
      },
    },
    refusals: [401, 503],
  },
];

/** Path items with the gateway as their server. @param gatewayUrl undefined: not known here */
export function ingestPaths(gatewayUrl: string | undefined): Record<string, unknown> {
  const servers = [{ url: gatewayUrl ?? 'http://localhost:8080', description: 'the gateway' }];
  return Object.fromEntries(
    ingestOperations.map((operation) => [
      operation.path,
      { servers, [operation.method]: describe(operation) },
    ]),
  );
}

export const ingestTag = 'Ingest';

function describe(operation: IngestOperation): Readonly<Record<string, unknown>> {
  const { id, summary, description, security, params, headers = {}, body, answers } = operation;
  return {
    operationId: id,
    tags: [ingestTag],
    summary,
    description,
    security,
    parameters: [
      ...Object.entries(params).map(([name, schema]) => ({ name, in: 'path', required: true, schema })),
      ...Object.entries(headers).map(([name, schema]) => ({ name, in: 'header', required: false, schema })),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description: what, schema }]) => [
          status,
          { description: what, content: { 'application/json': { schema } } },
        ]),
      ),
      ...Object.fromEntries(operation.refusals.map((status) => [status, refusalOf(status)])),
    },
  };
}

function refusalOf(status: number): Readonly<Record<string, unknown>> {
  const details = Object.values(refusals).filter((refusal) => refusal.status === status);
  return {
    description: [...new Set(details.map(({ detail }) => detail))].join('. '),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
