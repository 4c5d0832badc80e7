import { standardFleet } from '../load/fleet.ts';
import { destinationsOnLoopback, startBadReceivers } from '../measure/bad-receivers.ts';
import { removeRoutes } from '../measure/bench-routes.ts';
import { measureDrain } from '../measure/drain-rate.ts';
import { usageOf } from '../measure/process-usage.ts';
import type { Program } from '../measure/program.ts';
import { startRole } from '../measure/roles.ts';
import { ratiosOf, spreadOf } from '../measure/statistics.ts';
import { fillStream } from './drain.ts';
import type { Bench, Figure, ResultRow } from './figure.ts';
import { atLeast } from './in-turn.ts';

const routesPerTenant = 50;

/** What a worker's tenants have, as SQL that inserts it for tenants `t`. */
const variants = {
  'no routes': undefined,
  // Temperatures are drawn evenly from 15 to 30.
  '50 routes, 1.5 match': `'metrics.temp >= ' || (15 + 0.3 * n)::text || ' && metrics.temp < ' || (15.45 + 0.3 * n)::text`,
  '50 routes, all match': 'null',
} as const;

type Variant = keyof typeof variants;

interface Measured {
  readonly perSecond: number;
  /** µs a message, of the worker, the delivery role, NATS and PostgreSQL together. */
  readonly cpuUs: number;
  readonly workerUs: number;
  readonly deliveryUs: number;
  readonly natsUs: number;
  readonly jobs: number;
}

/** What routes cost ingestion, all of whose destinations are dead. */
export const routes: Figure = {
  name: 'routes',
  title: 'Worker with 50 routes a tenant, all destinations dead',
  isSlow: true,
  async run(bench) {
    const { backend } = bench;
    await backend.clear();
    await backend.register(standardFleet);
    const found = new Map<Variant, Measured[]>();
    for (let round = 0; round < bench.effort.rounds; round += 1) {
      for (const variant of Object.keys(variants) as Variant[]) {
        const measured = await measure(bench, variant);
        bench.say(`${variant}: ${JSON.stringify(measured)}`);
        found.set(variant, [...(found.get(variant) ?? []), measured]);
      }
    }
    await removeRoutes(backend);
    const bare = found.get('no routes') ?? [];
    return {
      rows: [...found].flatMap(([variant, rounds]) => rowsOf(variant, rounds, bare)),
      notes: [
        `Drain of ${messagesOf(bench).toLocaleString('en')} messages of 10 tenants by one worker, with a delivery role beside it that tries each job.`,
        'Of the destinations a third refuses connections, a third never answers, a third answers 500.',
        'Processor time is that of worker, delivery, NATS and PostgreSQL from the worker’s start to the last commit.',
      ],
    };
  },
};

/** A quick round of the usual length is half over before the conditions are compiled. */
function messagesOf({ effort }: Bench): number {
  return effort.quick ? 3 * effort.backlog : effort.backlog;
}

function rowsOf(variant: Variant, rounds: readonly Measured[], bare: readonly Measured[]): ResultRow[] {
  const [rates, bareRates] = [rounds, bare].map((each) => each.map(({ perSecond }) => perSecond));
  const rate: ResultRow = {
    label: `drain, ${variant}`,
    unit: 'msg/s',
    ours: spreadOf(rates ?? []),
    ...(variant === 'no routes'
      ? {}
      : {
          rival: { name: 'no routes', measured: spreadOf(bareRates ?? []) },
          ratio: ratiosOf(rates ?? [], bareRates ?? []),
          wanted: atLeast(0.8),
        }),
  };
  const times = (['cpuUs', 'workerUs'] as const).map((key) => ({
    label: `${key === 'cpuUs' ? 'all together' : 'worker'}, ${variant}`,
    unit: 'µs/msg',
    ours: spreadOf(rounds.map((each) => each[key])),
  }));
  return [rate, ...times];
}

async function measure(bench: Bench, variant: Variant): Promise<Measured> {
  const { servers, backend } = bench;
  const messages = messagesOf(bench);
  await backend.clear();
  await backend.knowSensors(standardFleet);
  await removeRoutes(backend);
  await using cleanup = new AsyncDisposableStack();
  const bad = startBadReceivers();
  cleanup.defer(() => bad.stop());
  const condition = variants[variant];
  if (condition !== undefined)
    await backend.pool.query(
      `insert into routes (tenant_id, name, topic_filter, condition, destination)
       select 't' || t, 'r' || n, 'tenant/+/device/+/telemetry', ${condition},
              jsonb_build_object('kind', 'webhook', 'url', ($1::text[])[n % 3 + 1])
       from generate_series(0, $2::int - 1) t, generate_series(0, $3::int - 1) n`,
      [[bad.down, bad.hanging, bad.failing], standardFleet.tenants, routesPerTenant],
    );
  await fillStream(servers, standardFleet, messages);
  const delivery = await startRole(servers, 'delivery', {
    env: destinationsOnLoopback,
    profileFolder: bench.profileFolder,
  });
  cleanup.defer(() => delivery.stop());
  const before = cpuOf(bench, [delivery]);
  const [natsBefore, deliveryBefore] = [servers.natsPid, delivery.pid].map((pid) => usageOf(pid).cpuUs);
  const starting = startRole(servers, 'worker', { profileFolder: bench.profileFolder });
  const drained = measureDrain(backend, messages);
  drained.catch(() => undefined);
  const worker = await starting;
  cleanup.defer(() => worker.stop());
  const { perSecond } = await drained;
  const used = cpuOf(bench, [delivery, worker]) - before;
  const { rows } = await backend.pool.query<{ jobs: number }>(
    `select coalesce(sum(matched), 0)::float8 + (select coalesce(sum(jobs), 0) from route_outbox)::float8 as jobs from route_totals`,
  );
  return {
    perSecond,
    cpuUs: used / messages,
    workerUs: usageOf(worker.pid).cpuUs / messages,
    deliveryUs: (usageOf(delivery.pid).cpuUs - (deliveryBefore ?? 0)) / messages,
    natsUs: (usageOf(servers.natsPid).cpuUs - (natsBefore ?? 0)) / messages,
    jobs: rows[0]?.jobs ?? 0,
  };
}

function cpuOf({ servers }: Bench, programs: readonly Program[]): number {
  return (
    usageOf(servers.natsPid).cpuUs +
    usageOf(servers.postgresPid, 'tree').cpuUs +
    programs.reduce((sum, { pid }) => sum + usageOf(pid).cpuUs, 0)
  );
}
