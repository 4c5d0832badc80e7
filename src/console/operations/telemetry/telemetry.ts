import Type from 'typebox';
import { JsonText } from '../../../lib/to-json.ts';
import { listSensors } from '../../../store/listings/list-sensors.ts';
import { selectMetrics } from '../../../store/series/select-metrics.ts';
import { type ReadingKey, selectReadings } from '../../../store/series/select-readings.ts';
import { decodeCursor, pageOf } from '../../cursor.ts';
import { defineOperation } from '../../operation.ts';
import { invalidInput } from '../../problem.ts';
import { ok } from '../../reply.ts';
import {
  anyJson,
  closed,
  listOf,
  listQuery,
  nullable,
  ofDevice,
  oneOf,
  rangeQuery,
  timeSchema,
} from '../../schemas.ts';
import { type ExportFormat, exportReadings, exportTypes } from './export-readings.ts';
import { requireDevice } from './known-device.ts';
import { readingSchema, showReading } from './show-reading.ts';

const tag = 'Telemetry';
const defaultLimit = 50;
const rowsPerExportPage = 1_000;
/** Columns of a CSV file, and sensors of `latest`. */
const maxMetrics = 1_000;

export const metricQuery = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
  maxItems: 50,
  description: 'only this metric; may be given several times',
});

const list = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}/telemetry',
  id: 'listTelemetry',
  tag,
  summary: 'A device’s readings, or a file of them',
  description: [
    'Heartbeats included. With `metric`, only messages that have one of these, and only these metrics of them.',
    '`format`, or else `Accept`, chooses: JSON is a page; CSV and NDJSON are a stream of all of the range, or of `limit`. ' +
      'A stream is no snapshot: what is stored behind its back is not in it. CSV has a column for each metric that is asked for, ' +
      'or for each sensor of the device; NDJSON has all that was sent.',
  ].join('\n\n'),
  access: 'read',
  params: ofDevice,
  query: {
    ...rangeQuery,
    metric: Type.Optional(metricQuery),
    order: Type.Optional(oneOf(['desc', 'asc'], 'of event time; default: newest first')),
    format: Type.Optional(oneOf(['json', 'csv', 'ndjson'], 'stronger than Accept')),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, description: 'readings at most; JSON: 50' }),
    ),
    cursor: listQuery.cursor,
  },
  answers: {
    200: {
      description: 'Readings',
      schema: listOf(readingSchema),
      contentType: ['application/json', exportTypes.csv, exportTypes.ndjson],
    },
  },
  handle: async ({ params, query }, { read, request, requireStillAllowed }) => {
    const { tenant_id: tenantId, device_id: deviceId } = params;
    const { from, to, metric: metrics, order = 'desc' } = query;
    const format = query.format ?? acceptedFormat(request.headers.get('Accept'));
    const select = (after: ReadingKey | undefined, limit: number) =>
      read((client) =>
        selectReadings(client, { tenantId, deviceId, from, to, metrics, order, after, limit }),
      );
    await read((client) => requireDevice(client, params));
    const start = keyIn(query.cursor);
    if (format === 'json') {
      const limit = query.limit ?? defaultLimit;
      const rows = await select(start, limit + 1);
      return ok(pageOf(rows, limit, ({ time, identity }) => [time, identity], showReading));
    }
    return exportReadings({
      format,
      fileName: `${tenantId}-${deviceId.replaceAll(/[^A-Za-z0-9._-]/g, '_')}`,
      metrics:
        metrics ??
        (format === 'csv'
          ? await read((client) => selectMetrics(client, tenantId, deviceId, { limit: maxMetrics }))
          : []),
      page: pages(
        async (after, limit) => {
          await requireStillAllowed();
          return select(after, limit);
        },
        start,
        query.limit,
      ),
    });
  },
});

/** Pages from `start` on, together at most `limit` readings. */
function pages<Row>(
  select: (after: ReadingKey | undefined, limit: number) => Promise<readonly Row[]>,
  start: ReadingKey | undefined,
  limit = Number.POSITIVE_INFINITY,
) {
  let left = limit;
  return async (after: ReadingKey | undefined): Promise<readonly Row[]> => {
    const wanted = Math.min(left, rowsPerExportPage);
    const rows = wanted === 0 ? [] : await select(after ?? start, wanted);
    left -= rows.length;
    return rows;
  };
}

/** What the header names first of what there is; anything else is taken as it is. */
function acceptedFormat(accept: string | null): ExportFormat | 'json' {
  const types = (accept ?? '').split(',').map((each) => each.split(';')[0]?.trim().toLowerCase());
  const found = types.find(
    (type) => type === exportTypes.csv || type === exportTypes.ndjson || type === 'application/json',
  );
  if (found === exportTypes.csv) return 'csv';
  return found === exportTypes.ndjson ? 'ndjson' : 'json';
}

const timeInCursor = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const identityInCursor = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function keyIn(cursor: string | undefined): ReadingKey | undefined {
  const [time, identity] = decodeCursor(cursor, [timeInCursor, identityInCursor]) ?? [];
  if (time === undefined || identity === undefined) return undefined;
  if (Number.isNaN(Date.parse(time)))
    throw invalidInput('cursor: is none that this list gave; begin without one');
  return { time, identity };
}

const latest = defineOperation({
  method: 'GET',
  path: '/tenants/{tenant_id}/devices/{device_id}/telemetry/latest',
  id: 'latestTelemetry',
  tag,
  summary: 'A device’s newest reading, and the latest value of each metric',
  description:
    'The reading is the newest by event time. Values go by the earlier of event time and arrival, so that neither late data nor a clock ' +
    'that runs ahead stands in their way.',
  access: 'read',
  params: ofDevice,
  answers: {
    200: {
      description: 'Null and empty until its first message',
      schema: closed({
        reading: nullable(readingSchema),
        values: Type.Record(
          Type.String(),
          closed({ value: anyJson, time: timeSchema, unit: nullable(Type.String()) }),
        ),
      }),
    },
  },
  handle: ({ params }, { read }) =>
    read(async (client) => {
      const { tenant_id: tenantId, device_id: deviceId } = params;
      await requireDevice(client, params);
      const [newest] = await selectReadings(client, { tenantId, deviceId, order: 'desc', limit: 1 });
      const sensors = await listSensors(client, { tenantId, deviceId, limit: maxMetrics });
      const values = sensors.map(({ metric, latest: value, latest_time: time, unit }) => [
        metric,
        { value: new JsonText(value), time, unit },
      ]);
      return ok({
        reading: newest === undefined ? null : showReading(newest),
        values: Object.fromEntries(values),
      });
    }),
});

export const telemetryOperations = [list, latest];
