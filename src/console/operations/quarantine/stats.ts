import Type from 'typebox';
import { type SeriesPoint, selectQuarantineSeries } from '../../../store/quarantine/select-series.ts';
import { selectQuarantineStats } from '../../../store/quarantine/stats.ts';
import { defineOperation, type KeyedOperation } from '../../operation.ts';
import { invalidInput } from '../../problem.ts';
import { ok } from '../../reply.ts';
import { closed, count, nullable, rangeQuery, timeSchema } from '../../schemas.ts';
import { capital, tag } from './look.ts';
import type { Scope } from './scope.ts';

const dayMs = 86_400_000;
const maxBuckets = 2_000;
const wantedBuckets = 120;
/** Lengths that people read. */
const lengthsMs = [1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400].map((seconds) => seconds * 1_000);

const totalsSchema = closed({
  tenant_id: nullable(Type.String({ description: 'null: of tenants that were not registered, together' })),
  reason: Type.String(),
  held: count,
  held_bytes: count,
  oldest_arrived_at: nullable(timeSchema),
  quarantined: count,
  evicted: count,
  replayed: count,
  purged: count,
  last_day: nullable(Type.String()),
});

const seriesSchema = closed({
  t: Type.Array(Type.Integer({ description: 'ms since the epoch' })),
  count: Type.Array(count),
});

export function statsOperation(scope: Scope): KeyedOperation {
  return defineOperation({
    method: 'GET',
    path: `${scope.prefix}/quarantine/stats`,
    id: scope.idOf('count', 'Quarantined'),
    tag,
    summary: `${capital(scope.whose)} quarantined messages counted, by reason and over time`,
    description:
      '`reasons` counts what is held, by when it came and by its reason of now; buckets without any are left out. ' +
      '`totals` are of all time: what came in, and of that what was evicted, replayed and purged.',
    access: scope.accessOf('read'),
    params: scope.params,
    query: {
      ...rangeQuery,
      bucket: Type.Optional(
        Type.String({ pattern: '^[1-9][0-9]{0,5}s$', description: 'length of a bucket: 60s' }),
      ),
    },
    answers: {
      200: {
        description: 'The counts',
        schema: closed({
          from: timeSchema,
          to: timeSchema,
          bucket_ms: count,
          reasons: Type.Record(Type.String(), seriesSchema),
          totals: Type.Array(totalsSchema),
        }),
      },
    },
    handle: async ({ params: { tenant_id: tenantId }, query }, { read, services }) => {
      const range = rangeOf(query, services.wallClock());
      const { points, totals } = await read(async (client) => ({
        points: await selectQuarantineSeries(client, { ...range, tenantId }),
        totals: await selectQuarantineStats(client, tenantId),
      }));
      const iso = (ms: number) => new Date(ms).toISOString();
      return ok({
        from: iso(range.fromMs),
        to: iso(range.toMs),
        bucket_ms: range.bucketMs,
        reasons: seriesOf(points),
        totals,
      });
    },
  });
}

interface RangeQuery {
  readonly from?: string;
  readonly to?: string;
  readonly bucket?: string;
}

/** What came this very moment counts, by a clock that runs a little ahead of ours, too. */
const aheadMs = 1_000;

/** The last day where nothing is said. */
function rangeOf({ from, to, bucket }: RangeQuery, nowMs: number) {
  const toMs = to === undefined ? nowMs + aheadMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - dayMs : Date.parse(from);
  if (fromMs >= toMs) throw invalidInput('from: does not lie before to');
  const wanted = (toMs - fromMs) / wantedBuckets;
  const bucketMs =
    bucket === undefined
      ? (lengthsMs.find((length) => length >= wanted) ?? Math.ceil(wanted / dayMs) * dayMs)
      : Number(bucket.slice(0, -1)) * 1_000;
  if ((toMs - fromMs) / bucketMs > maxBuckets)
    throw invalidInput(`bucket: ${bucket} makes more than ${maxBuckets} buckets; take longer ones`);
  return { fromMs, toMs, bucketMs };
}

function seriesOf(points: readonly SeriesPoint[]) {
  const byReason = Map.groupBy(points, ({ reason }) => reason);
  return Object.fromEntries(
    [...byReason].map(([reason, own]) => [
      reason,
      { t: own.map(({ at }) => at), count: own.map(({ count: n }) => n) },
    ]),
  );
}
