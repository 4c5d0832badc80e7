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

/** The same worker on a small and on a large backlog: what it holds must not grow with it, nor while it drains it. */
async function withBacklogs(bench: Bench, sizes: readonly number[]): Promise<ResultRow[]> {
  const rows: ResultRow[] = [];
  let samples: readonly number[] = [];
  for (const messages of sizes) {
    const label = `backlog of ${messages.toLocaleString('en')}: worker`;
    bench.say(`a backlog of ${messages.toLocaleString('en')}`);
    samples = await rssWhileDraining(bench, standardFleet, messages);
    rows.push(rowOf(label, Math.max(...samples)));
  }
  const [small, large] = rows;
  // A short drain ends before the heap has its size: that says nothing of the backlog.
  if (bench.effort.quick || small === undefined || large === undefined) return rows;
  const half = samples.length >> 1;
  const [first, second] = [samples.slice(0, half), samples.slice(half)].map((part) => Math.max(...part));
  const later = rowOf('the same, second half', second ?? 0);
  return [small, heldAgainst(small, large), heldAgainst(rowOf('its first half', first ?? 0), later)];
}

function heldAgainst(rival: ResultRow, row: ResultRow): ResultRow {
  return {
    ...row,
    rival: { name: rival.label, measured: rival.ours },
    ratio: ratiosOf(row.ours.values, rival.ours.values),
    wanted: { of: 'ratio', comparison: 'below', value: 1.15 },
  };
}

/** MiB, in the order of time. */
async function rssWhileDraining(bench: Bench, fleet: FleetSpec, messages: number): Promise<number[]> {
  const { servers, backend } = bench;
  await backend.clear();
  await backend.knowSensors(fleet);
  await fillStream(servers, fleet, messages);
  const worker = await startRole(servers, 'worker');
  const samples: number[] = [];
  const watching = setInterval(() => samples.push(rssMiB(worker)), 100);
  try {
    await measureDrain(backend, messages);
    return samples;
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
