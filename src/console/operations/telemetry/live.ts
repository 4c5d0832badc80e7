import Type from 'typebox';
import type { OperationContext } from '../../context.ts';
import { defineOperation } from '../../operation.ts';
import { Problem } from '../../problem.ts';
import type { Followed } from '../../readings-feed.ts';
import { deviceIdSchema, ofTenant } from '../../schemas.ts';
import { metricQuery } from './telemetry.ts';

const tag = 'Telemetry';
const description =
  'Server-sent events: `event: reading` for each reading that is stored from now on, with `tenant_id`, `device_id`, `site_id`, `msg_type`, ' +
  '`time`, `arrived_at`, `metrics`, and `seq` and `extra` where the device sent them. `event: dropped` with `count` tells how many a client ' +
  'missed that reads too slowly. Readings are told at most once: what is stored while a client is not connected is found with `telemetry`.';
const answers = { 200: { description: 'Events', contentType: 'text/event-stream' } };

const ofOneTenant = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/live',
  id: 'followReadings',
  tag,
  summary: 'Readings as they are stored',
  description,
  access: 'read',
  params: ofTenant,
  query: {
    device_id: Type.Optional(deviceIdSchema),
    metric: Type.Optional(metricQuery),
  },
  answers,
  handle: ({ params, query }, context) =>
    liveReadings(context, { tenantId: params.tenant_id, deviceId: query.device_id }, query.metric),
});

const ofAll = defineOperation({
  method: 'GET',
  path: '/live',
  id: 'followAllReadings',
  tag,
  summary: 'Readings of all tenants as they are stored',
  description,
  access: 'operator',
  query: { metric: Type.Optional(metricQuery) },
  answers,
  handle: ({ query }, context) => liveReadings(context, {}, query.metric),
});

function liveReadings(
  { live, services: { readings } }: OperationContext,
  followed: Followed,
  metrics: readonly string[] | undefined,
): Response {
  if (!readings.isOpen) throw new Problem('unavailable', 'NATS is away: readings cannot be followed');
  const isWanted = metrics === undefined ? () => true : (text: string) => hasMetric(text, metrics);
  return live((sink) =>
    readings.follow(followed, (text) => {
      if (isWanted(text)) sink.send('reading', text);
    }),
  );
}

/** The text itself goes out: numbers stay as they were sent. */
function hasMetric(text: string, wanted: readonly string[]): boolean {
  const { metrics } = JSON.parse(text) as { readonly metrics: object };
  return wanted.some((metric) => Object.hasOwn(metrics, metric));
}

export const liveOperations = [ofOneTenant, ofAll];
