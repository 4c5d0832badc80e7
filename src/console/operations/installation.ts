import Type from 'typebox';
import { listLimited } from '../../store/console/list-limited.ts';
import { selectTenants } from '../../store/registry/select-tenants.ts';
import type { OperationContext } from '../context.ts';
import {
  blocks,
  type FlowPoint,
  type InstallationService,
  type OverviewSample,
} from '../installation-service.ts';
import { defineOperation } from '../operation.ts';
import { ok } from '../reply.ts';
import { anyJson, closed, count, nullable, ofTenant, oneOf, timeSchema } from '../schemas.ts';

const tag = 'Installation';

const perSecond = Type.Record(Type.String(), Type.Number());
const overviewSchema = closed({
  time: timeSchema,
  in_per_second: Type.Number({ minimum: 0, description: 'accepted at the doors' }),
  out_per_second: Type.Number({ minimum: 0, description: 'stored' }),
  by_source: perSecond,
  by_verdict: perSecond,
  duplicates_at_door: Type.Number({
    minimum: 0,
    description: 'per second: sent again, and known before they took a place in the stream',
  }),
  refused_per_second: Type.Number({ minimum: 0, description: 'answered 503 at the doors' }),
  blocked_by: nullable(oneOf(blocks, 'what keeps messages from flowing')),
  backlog: nullable(Type.Integer({ description: 'accepted and not settled yet' })),
  door_to_row_ms: closed({ p50: nullable(Type.Number()), p99: nullable(Type.Number()) }),
  unaccounted: nullable(Type.Integer({ description: 'of the audit' })),
  durability: nullable(Type.String({ description: 'what an accepted message withstands' })),
  devices: closed({ online: count, stale: count, offline: count, silent: count }),
});

const historyEvent =
  'once `event: history` with `points` of `time`, `in_per_second` and `settled_per_second` over the last five minutes';

/** The next sample; it comes within about a second. */
function nextSample(feed: ReturnType<InstallationService['overview']>): Promise<OverviewSample> {
  const { promise, resolve } = Promise.withResolvers<OverviewSample>();
  const end = feed.subscribe(resolve);
  return promise.finally(end);
}

function liveOverview(
  { live }: OperationContext,
  feed: ReturnType<InstallationService['overview']>,
): Response {
  return live((sink) => {
    sink.send('history', JSON.stringify({ points: feed.history().map(pointAsJson) }));
    return feed.subscribe((sample) => sink.send('overview', JSON.stringify(sample)));
  });
}

function pointAsJson({ timeMs, in: taken, settled }: FlowPoint) {
  return { time: new Date(timeMs).toISOString(), in_per_second: taken, settled_per_second: settled };
}

const overview = defineOperation({
  method: 'GET',
  path: '/overview',
  id: 'showOverview',
  tag,
  summary: 'How much flows',
  access: 'operator',
  answers: { 200: { description: 'Now', schema: overviewSchema } },
  handle: async (_input, { services }) => ok(await nextSample(services.installation.overview(undefined))),
});

const overviewLive = defineOperation({
  method: 'GET',
  path: '/overview/live',
  id: 'followOverview',
  tag,
  summary: 'How much flows, once a second',
  description: `Server-sent events: ${historyEvent}, then \`event: overview\` with what \`/overview\` answers.`,
  access: 'operator',
  answers: { 200: { description: 'Events', contentType: 'text/event-stream' } },
  handle: (_input, context) => liveOverview(context, context.services.installation.overview(undefined)),
});

const tenantOverview = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/overview',
  id: 'showTenantOverview',
  tag,
  summary: 'How much of a tenant flows',
  description:
    'What doors and workers have counted of this tenant. The audit is made over all tenants only: `unaccounted` is null.',
  access: 'read',
  params: ofTenant,
  answers: { 200: { description: 'Now', schema: overviewSchema } },
  handle: async ({ params }, { services }) =>
    ok(await nextSample(services.installation.overview(params.tenant_id))),
});

const tenantOverviewLive = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/overview/live',
  id: 'followTenantOverview',
  tag,
  summary: 'How much of a tenant flows, once a second',
  description: `Server-sent events: ${historyEvent}, then \`event: overview\` with what \`…/overview\` answers.`,
  access: 'read',
  params: ofTenant,
  answers: { 200: { description: 'Events', contentType: 'text/event-stream' } },
  handle: ({ params }, context) =>
    liveOverview(context, context.services.installation.overview(params.tenant_id)),
});

const status = defineOperation({
  method: 'GET',
  path: '/status',
  id: 'showStatus',
  tag,
  summary: 'Streams, lag, rates, devices, audit and roles',
  description: 'What `tributary status --json` prints. Rates are measured over half a second.',
  access: 'operator',
  answers: { 200: { description: 'The status', schema: anyJson } },
  handle: async (_input, { services }) => ok(await services.installation.status()),
});

const system = defineOperation({
  method: 'GET',
  path: '/system',
  id: 'showSystem',
  tag,
  summary: 'Roles, streams, consumers and versions',
  access: 'operator',
  answers: {
    200: {
      description: 'What runs',
      schema: closed({
        version: Type.String(),
        nats: nullable(closed({ version: Type.String() })),
        postgres: nullable(closed({ version: Type.String() })),
        durability: nullable(Type.String()),
        roles: nullable(Type.Array(anyJson)),
        streams: nullable(Type.Array(anyJson)),
      }),
    },
  },
  handle: async (_input, { services }) => ok(await services.installation.system()),
});

const limitsSchema = closed({
  rate_per_second: Type.Number(),
  burst: Type.Number(),
  device_rate_per_second: Type.Number(),
  device_burst: Type.Number(),
});
const limitedSchema = Type.Array(
  closed({
    tenant_id: nullable(Type.String()),
    device_id: nullable(Type.String()),
    limited: Type.Integer({
      description: 'messages refused in the last 10 minutes, among the latest 20,000 quarantined',
    }),
  }),
);

const tenantRateLimits = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/rate-limits',
  id: 'showTenantRateLimits',
  tag,
  summary: 'A tenant’s limits, and which of its devices ran into them',
  access: 'read',
  params: ofTenant,
  answers: {
    200: { description: 'Limits', schema: closed({ limits: limitsSchema, limited: limitedSchema }) },
  },
  handle: async ({ params: { tenant_id: tenantId } }, { services, read }) => {
    const { defaultLimits } = services.installation;
    const [tenant, limited] = await read(async (client) => [
      (await selectTenants(client, { tenantId, limit: 1 }))[0],
      await listLimited(client, tenantId),
    ]);
    return ok({
      limits: {
        rate_per_second: tenant?.ratePerSecond ?? defaultLimits.ratePerSecond,
        burst: tenant?.burst ?? defaultLimits.burst,
        device_rate_per_second: tenant?.deviceRatePerSecond ?? defaultLimits.deviceRatePerSecond,
        device_burst: tenant?.deviceBurst ?? defaultLimits.deviceBurst,
      },
      limited,
    });
  },
});

const rateLimits = defineOperation({
  method: 'GET',
  path: '/rate-limits',
  id: 'showRateLimits',
  tag,
  summary: 'The default limits, which devices ran into limits, and what each worker has counted',
  access: 'operator',
  answers: {
    200: {
      description: 'Limits',
      schema: closed({
        limits: limitsSchema,
        limited: limitedSchema,
        workers: nullable(Type.Array(anyJson)),
      }),
    },
  },
  handle: async (_input, { services, read }) => {
    const { ratePerSecond, burst, deviceRatePerSecond, deviceBurst } = services.installation.defaultLimits;
    const [limited, workers] = await Promise.all([
      read((client) => listLimited(client, undefined)),
      services.installation.rateLimits().catch(() => null),
    ]);
    return ok({
      limits: {
        rate_per_second: ratePerSecond,
        burst,
        device_rate_per_second: deviceRatePerSecond,
        device_burst: deviceBurst,
      },
      limited,
      workers,
    });
  },
});

export const installationOperations = [
  overview,
  overviewLive,
  tenantOverview,
  tenantOverviewLive,
  status,
  system,
  tenantRateLimits,
  rateLimits,
];
