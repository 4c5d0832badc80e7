import { type FleetSpec, standardFleet } from '../load/fleet.ts';
import { ratiosOf, spreadOf } from '../measure/statistics.ts';
import { drainWith, fillStream } from './drain.ts';
import type { Bench, Figure, ResultRow } from './figure.ts';
import { atLeast } from './in-turn.ts';

/** One point of a series. */
interface Point {
  readonly label: string;
  readonly prepare: (bench: Bench) => Promise<void>;
  readonly fleet: FleetSpec;
  readonly workers?: number;
}

const inTurn = (devices: number): FleetSpec => ({ ...standardFleet, devices, order: 'in turn' });

/** Whether the worker gets slower as the fleet, the table or the number of workers grows. */
export const growth: Figure = {
  name: 'growth',
  title: 'Growth: drain against the first point of each series',
  isLong: true,
  async run(bench) {
    const { quick } = bench.effort;
    const devices = quick ? [1_000, 20_000] : [1_000, 100_000, 1_000_000];
    const stored = quick ? [100_000, 500_000] : [1_000_000, 20_000_000];
    const rows = [
      ...(await measureSeries(bench, devices.map(withDevices))),
      ...(await measureSeries(bench, stored.map(withRows))),
      ...(await measureSeries(bench, [1, 2, 4].map(withWorkers))),
    ];
    return {
      rows,
      notes: [
        'Every batch of 1,000 messages holds 1,000 different devices, at each size of the fleet.',
        'The rounds of a point follow each other; each starts on empty tables but for what the point asks for.',
        'Workers share the two cores with NATS and PostgreSQL: more of them cannot be faster than what PostgreSQL commits.',
      ],
    };
  },
};

function withDevices(devices: number): Point {
  return {
    label: `drain, ${devices.toLocaleString('en')} devices`,
    fleet: inTurn(devices),
    prepare: ({ backend }) => backend.register(inTurn(devices)),
  };
}

function withRows(rows: number): Point {
  return {
    label: `drain, ${rows.toLocaleString('en')} rows stored`,
    fleet: inTurn(100_000),
    prepare: async ({ backend }) => {
      await backend.register(inTurn(100_000));
      await backend.storeRows(rows, inTurn(100_000));
    },
  };
}

function withWorkers(workers: number): Point {
  return {
    label: `drain, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
    fleet: standardFleet,
    workers,
    prepare: ({ backend }) => backend.register(standardFleet),
  };
}

async function measureSeries(bench: Bench, points: readonly Point[]): Promise<ResultRow[]> {
  const rates: number[][] = [];
  for (const point of points) rates.push(await measurePoint(bench, point));
  const [first = []] = rates;
  return points.map(({ label }, index) => {
    const own = rates[index] ?? [];
    const row: ResultRow = { label, unit: 'msg/s', ours: spreadOf(own) };
    if (index === 0) return row;
    const rival = { name: points[0]?.label ?? '', measured: spreadOf(first) };
    return { ...row, rival, ratio: ratiosOf(own, first), wanted: atLeast(0.85) };
  });
}

async function measurePoint(bench: Bench, { label, prepare, fleet, workers = 1 }: Point): Promise<number[]> {
  const { servers, backend, effort } = bench;
  const rates: number[] = [];
  for (let round = 0; round < effort.rounds; round += 1) {
    bench.say(`${label}, round ${round + 1}`);
    // Making millions of rows takes minutes: what a round adds to them is little.
    await backend.clear(round === 0 ? 'everything' : 'what was settled');
    if (round === 0) {
      await prepare(bench);
      await backend.knowSensors(fleet);
    }
    await fillStream(servers, fleet, effort.backlog);
    rates.push(await drainWith(bench, {}, effort.backlog, workers));
  }
  await backend.clear();
  return rates;
}
