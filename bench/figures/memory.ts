import { type FleetSpec, standardFleet } from '../load/fleet.ts';
import { measureDrain } from '../measure/drain-rate.ts';
import { usageOf } from '../measure/process-usage.ts';
import type { Program } from '../measure/program.ts';
import { type RoleName, startRole } from '../measure/roles.ts';
import { ratiosOf, spreadOf } from '../measure/statistics.ts';
import { startOurs } from '../measure/system.ts';
import { fillStream } from './drain.ts';
import type { Bench, Figure, ResultRow, Wanted } from './figure.ts';
import { below } from './in-turn.ts';
import { emptied, loadAndWatch } from './load-system.ts';

const MiB = 1024 ** 2;
const roles = ['gateway', 'mqtt', 'worker'] as const satisfies readonly RoleName[];
const wantedAt100k = 250;
/** What a process allocates while it starts has been given back by then, or is what it keeps. */
const settleMs = { quick: 1_000, full: 5_000 } as const;

/** Resident memory of each role. */
export const memory: Figure = {
  name: 'memory',
  title: 'Memory of each role',
  async run(bench) {
    const { quick } = bench.effort;
    const rows = [
      ...(await idleAndLoaded(bench)),
      ...(await withDevices(bench, 100_000, below(wantedAt100k))),
    ];
    if (!quick) rows.push(...(await withDevices(bench, 1_000_000)));
    rows.push(...(await withBacklogs(bench, quick ? [5_000, 40_000] : [100_000, 1_000_000])));
    return {
      rows,
      notes: [
        'Resident set (VmRSS). Idle: 10,000 devices, a few seconds after the start. Loaded: after seconds of 2,000 messages a second over HTTP.',
        '“sync auth”: a gateway that checks tokens itself and so holds the registry; without, it holds the tenants only.',
        'With a backlog: the highest of the worker while it drains it.',
      ],
    };
  },
};

async function idleAndLoaded(bench: Bench): Promise<ResultRow[]> {
  await bench.backend.clear();
  await bench.backend.register(standardFleet);
  const system = await startOurs(bench.servers, bench.backend);
  try {
    await Bun.sleep(settleTime(bench));
    const idle = system.programs.map((program) => rowOf(`idle: ${program.name}`, rssMiB(program)));
    bench.say('idle, then loaded');
    await loadAndWatch(bench, system, 'single', 2_000, bench.effort.measureMs * 2);
    const loaded = system.programs.map((program) => rowOf(`loaded: ${program.name}`, rssMiB(program)));
    await emptied(bench.backend);
    return [...idle, ...loaded];
  } finally {
    await system.stop();
  }
}

async function withDevices(bench: Bench, devices: number, wanted?: Wanted): Promise<ResultRow[]> {
  bench.say(`${devices.toLocaleString('en')} devices`);
  await bench.backend.clear();
  await bench.backend.register({ ...standardFleet, devices });
  const label = `${devices.toLocaleString('en')} devices`;
  const rows: ResultRow[] = [];
  for (const role of roles) {
    const program = await startRole(bench.servers, role);
    rows.push(await afterAWhile(bench, program, `${label}: ${role}`, wanted));
  }
  const syncAuth = await startRole(bench.servers, 'gateway', { env: { TRIBUTARY_SYNC_AUTH: 'true' } });
  rows.push(await afterAWhile(bench, syncAuth, `${label}: gateway, sync auth`, wanted));
  await bench.backend.register(standardFleet);
  return rows;
}

function settleTime({ effort }: Bench): number {
  return effort.quick ? settleMs.quick : settleMs.full;
}

async function afterAWhile(
  bench: Bench,
  program: Program,
  label: string,
  wanted?: Wanted,
): Promise<ResultRow> {
  try {
    await Bun.sleep(settleTime(bench));
    return rowOf(label, rssMiB(program), wanted);
  } finally {
    await program.stop();
  }
}

/** The same worker on a small and on a large backlog: what it holds must not grow with it. */
async function withBacklogs(bench: Bench, sizes: readonly number[]): Promise<ResultRow[]> {
  const rows: ResultRow[] = [];
  for (const messages of sizes) {
    bench.say(`a backlog of ${messages.toLocaleString('en')}`);
    rows.push(
      rowOf(
        `backlog of ${messages.toLocaleString('en')}: worker`,
        await highestWhileDraining(bench, standardFleet, messages),
      ),
    );
  }
  const [small, large] = rows;
  // A short drain ends before the heap has its size: that says nothing of the backlog.
  if (bench.effort.quick || small === undefined || large === undefined) return rows;
  const ratio = ratiosOf(large.ours.values, small.ours.values);
  const rival = { name: small.label, measured: small.ours };
  return [small, { ...large, rival, ratio, wanted: { of: 'ratio', comparison: 'below', value: 1.15 } }];
}

async function highestWhileDraining(bench: Bench, fleet: FleetSpec, messages: number): Promise<number> {
  const { servers, backend } = bench;
  await backend.clear();
  await backend.knowSensors(fleet);
  await fillStream(servers, fleet, messages);
  const worker = await startRole(servers, 'worker');
  let highest = 0;
  const watching = setInterval(() => {
    highest = Math.max(highest, rssMiB(worker));
  }, 100);
  try {
    await measureDrain(backend, messages);
    return highest;
  } finally {
    clearInterval(watching);
    await worker.stop();
  }
}

function rssMiB({ pid }: Program): number {
  return usageOf(pid).rssBytes / MiB;
}

function rowOf(label: string, mib: number, wanted?: Wanted): ResultRow {
  return { label, unit: 'MiB', ours: spreadOf([mib]), ...(wanted === undefined ? {} : { wanted }) };
}
