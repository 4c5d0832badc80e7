import Type from 'typebox';
import { isoMicroseconds } from '../../../lib/iso-microseconds.ts';
import { JsonText } from '../../../lib/to-json.ts';
import { bucketFor, bucketsIn } from '../../../model/series-bucket.ts';
import { findGaps } from '../../../store/series/find-gaps.ts';
import { selectMetrics } from '../../../store/series/select-metrics.ts';
import { type Series, selectSeries } from '../../../store/series/select-series.ts';
import { gapsAsJson } from '../../../store/series/view.ts';
import { defineOperation } from '../../operation.ts';
import { invalidInput } from '../../problem.ts';
import { ok } from '../../reply.ts';
import { closed, count, nullable, ofDevice, rangeQuery, timeSchema } from '../../schemas.ts';
import { requireDevice } from './known-device.ts';
import { metricQuery } from './telemetry.ts';

const tag = 'Telemetry';
const dayMs = 86_400_000;
const maxPoints = 5_000;
const maxMetrics = 50;
const maxGapDays = 92;
const rollupMs = 300_000;

const series = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}/series',
  id: 'deviceSeries',
  tag,
  summary: 'A device’s numbers in buckets of time',
  description: [
    'Minimum, average, maximum and count of each bucket that has numbers, in columns. Of the last 24 hours unless a range is given. Exactly what ' +
      'the readings of the range give; a bucket at its edge holds those within it only.',
    '`points` has the shortest bucket chosen that gives no more than so many; `bucket` names one. Buckets are aligned to ' +
      '1970-01-01 UTC; from 5 minutes on they are whole multiples of 5 minutes.',
  ].join('\n\n'),
  access: 'read',
  params: ofDevice,
  query: {
    ...rangeQuery,
    metric: Type.Optional(metricQuery),
    points: Type.Integer({ minimum: 2, maximum: maxPoints, default: 1_000, description: 'buckets at most' }),
    bucket: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,9}(ms|s|m|h|d)$',
        description: '`60s`, `5m`, `1h`; `points` is not looked at then',
      }),
    ),
  },
  answers: {
    200: {
      description: 'By metric; one element of each column is one bucket',
      schema: closed({
        from: timeSchema,
        to: timeSchema,
        bucket_ms: count,
        metrics: Type.Record(
          Type.String(),
          closed({
            t: Type.Array(Type.Number(), { description: 'where the buckets begin, ms since 1970' }),
            min: Type.Array(Type.Number(), { description: 'exact, as max' }),
            avg: Type.Array(nullable(Type.Number()), { description: 'null where a number is beyond 1e300' }),
            max: Type.Array(Type.Number()),
            count: Type.Array(count),
          }),
        ),
      }),
    },
  },
  handle: async ({ params, query }, { read, services: { pool, wallClock } }) => {
    const { tenant_id: tenantId, device_id: deviceId } = params;
    const range = rangeOf(query, wallClock());
    const bucketMs = bucketOf(query, range);
    const metrics = await read(async (client) => {
      await requireDevice(client, params);
      return (
        query.metric ??
        (await selectMetrics(client, tenantId, deviceId, { numbers: true, limit: maxMetrics }))
      );
    });
    const found = await selectSeries(pool, { tenantId, deviceId, ...range, metrics, bucketMs });
    return ok({
      ...showRange(range),
      bucket_ms: bucketMs,
      metrics: Object.fromEntries([...found].map(([metric, columns]) => [metric, showSeries(columns)])),
    });
  },
});

const showSeries = ({ t, min, avg, max, count: counts }: Series) => ({
  t,
  min: min.map((text) => new JsonText(text)),
  avg,
  max: max.map((text) => new JsonText(text)),
  count: counts,
});

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Of the last 24 hours where nothing is said. */
function rangeOf({ from, to }: { readonly from?: string; readonly to?: string }, nowMs: number): Range {
  const toMs = to === undefined ? nowMs : momentOf('to', to);
  const fromMs = from === undefined ? toMs - dayMs : momentOf('from', from);
  if (fromMs < toMs) return { fromMs, toMs };
  throw invalidInput(`from: ${from ?? 'the day before'} is not before to, ${to ?? 'now'}`);
}

function momentOf(name: string, text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalidInput(`${name}: ${text} is no moment that there is`);
  return ms;
}

const showRange = ({ fromMs, toMs }: Range) => ({
  from: isoMicroseconds(fromMs * 1_000),
  to: isoMicroseconds(toMs * 1_000),
});

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: dayMs };

function bucketOf(
  { bucket, points }: { readonly bucket?: string; readonly points: number },
  { fromMs, toMs }: Range,
): number {
  if (bucket === undefined) return bucketFor(fromMs, toMs, points);
  const bucketMs = Number.parseInt(bucket, 10) * (units[bucket.replace(/^\d+/, '')] ?? Number.NaN);
  if (!(bucketMs > 0)) throw invalidInput(`bucket: ${bucket} is no time; give 60s, 5m or 1h`);
  if (bucketMs >= rollupMs && bucketMs % rollupMs !== 0)
    throw invalidInput(`bucket: ${bucket} is longer than 5m, and no whole multiple of it`);
  if (bucketsIn(fromMs, toMs, bucketMs) > maxPoints)
    throw invalidInput(`bucket: ${bucket} cuts the range into more than ${maxPoints}; make it longer`);
  return bucketMs;
}

const gaps = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}/gaps',
  id: 'deviceGaps',
  tag,
  summary: 'What is missing in a device’s numbers',
  description: `By \`seq\`. Of the last 24 hours unless a range of at most ${maxGapDays} days is given.`,
  access: 'read',
  params: ofDevice,
  query: rangeQuery,
  answers: {
    200: {
      description: 'The gap map',
      schema: closed({
        from: timeSchema,
        to: timeSchema,
        received: count,
        unnumbered: count,
        missing: count,
        late: count,
        repeated: count,
        first_seq: nullable(count),
        last_seq: nullable(count),
        ranges: Type.Array(
          closed({ first: count, last: count, count, after_time: timeSchema, before_time: timeSchema }),
        ),
        restarts: Type.Array(closed({ time: timeSchema, from_seq: count, to_seq: count })),
        truncated: Type.Boolean({ description: 'only the latest ranges or restarts are listed' }),
      }),
    },
  },
  handle: async ({ params, query }, { read, services: { pool, wallClock } }) => {
    const range = rangeOf(query, wallClock());
    if (range.toMs - range.fromMs > maxGapDays * dayMs)
      throw invalidInput(`from: lies more than ${maxGapDays} days before to`);
    await read((client) => requireDevice(client, params));
    const asked = { tenantId: params.tenant_id, deviceId: params.device_id, ...range };
    return ok(gapsAsJson(asked, await findGaps(pool, asked)));
  },
});

export const seriesOperations = [series, gaps];
