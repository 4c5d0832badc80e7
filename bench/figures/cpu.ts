import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { standardFleet } from '../load/fleet.ts';
import { createCpuMeter, type Used } from '../measure/cpu-meter.ts';
import { spreadOf } from '../measure/statistics.ts';
import { type System, startOurs, startRivalSystem } from '../measure/system.ts';
import { sharesOfProfile } from '../report/profile-shares.ts';
import type { Bench, Figure, ResultRow } from './figure.ts';
import { type DoorKind, emptied, loadAndWatch } from './load-system.ts';
import { requireAccepted } from './require-accepted.ts';

/** Below what both sides sustain here, so that nobody waits for a processor; messages a second. */
const rates = { single: 6_000, batch: 10_000, mqtt: 6_000 } as const;

/** Processor time of each process for one message from the door to the row. */
export const cpu: Figure = {
  name: 'cpu',
  title: 'Processor time per message, from the door to the row',
  async run(bench) {
    await bench.backend.clear();
    await bench.backend.register(standardFleet);
    const ours = await measureSystem(bench, () => startOurs(bench.servers, bench.backend), [
      'single',
      'batch',
      'mqtt',
    ]);
    const port = await measureSystem(bench, () => startRivalSystem(bench.servers, bench.backend), [
      'single',
      'batch',
    ]);
    return {
      rows: (['single', 'batch', 'mqtt'] as const).flatMap((kind) =>
        rowsOf(kind, ours.get(kind), port.get(kind)),
      ),
      notes: [
        `At a fixed ${rates.single}/s single, ${rates.batch}/s in batches of 100 and ${rates.mqtt}/s over MQTT; a part of the time is what a process uses when idle.`,
        'The rival of the sums is the port, which does less for a message.',
        ...(await whereItGoes(bench)),
      ],
    };
  },
};

const shownPlaces = 12;

/** A run of its own: the profiler takes time, too. */
async function whereItGoes(bench: Bench): Promise<string[]> {
  const { servers, backend, profileFolder } = bench;
  if (profileFolder === undefined)
    return ['Where it goes: npm run bench -- --only cpu --profile adds the places that take most.'];
  const beganAtMs = Date.now();
  await measureSystem(bench, () => startOurs(servers, backend, { profileFolder }), ['batch']);
  return readdirSync(profileFolder)
    .map((file) => ({ file, role: file.replace(/-\d+\.md$/, ''), at: Number(/-(\d+)\.md$/.exec(file)?.[1]) }))
    .filter(({ role, at }) => role !== 'mqtt' && at >= beganAtMs)
    .map(({ file, role }) => {
      const shares = sharesOfProfile(readFileSync(join(profileFolder, file), 'utf8'));
      const shown = shares.slice(0, shownPlaces).map(({ where, share }) => `${where} ${percent(share)}`);
      return `Where it goes, ${role}, batches of 100, self time in %: ${shown.join(', ')}.`;
    });
}

function percent(share: number): string {
  return (share * 100).toFixed(0);
}

type PerDoor = Map<DoorKind, Used[][]>;

async function measureSystem(
  bench: Bench,
  start: () => Promise<System>,
  kinds: readonly DoorKind[],
): Promise<PerDoor> {
  const system = await start();
  const found: PerDoor = new Map();
  try {
    for (const kind of kinds) {
      bench.say(`${system.telemetryTable}, ${kind} at ${rates[kind]}/s`);
      const rounds: Used[][] = [];
      const times = bench.effort.quick ? 1 : bench.effort.rounds;
      for (let round = 0; round < times; round += 1) rounds.push(await perMessage(bench, system, kind));
      found.set(kind, rounds);
    }
  } finally {
    await system.stop();
  }
  return found;
}

/** µs of each process for a message, until the last one is settled. */
async function perMessage(bench: Bench, system: System, kind: DoorKind): Promise<Used[]> {
  const meter = createCpuMeter(system, bench.servers);
  const { load } = await loadAndWatch(bench, system, kind, rates[kind], bench.effort.measureMs, {
    onMeasuring: () => meter.start(),
  });
  await emptied(bench.backend);
  const used = meter.stop();
  const { accepted } = requireAccepted(load, `processor time, ${kind}`);
  return used.map((part) => ({ ...part, cpuUs: part.cpuUs / accepted }));
}

function rowsOf(kind: DoorKind, ours: Used[][] = [], port: Used[][] = []): ResultRow[] {
  const names = ours[0]?.map(({ name }) => name) ?? [];
  const rows = names.map((name) => ({
    label: `${kind}: ${name}`,
    unit: 'µs/msg',
    ours: spreadOf(ours.map((round) => round.find((part) => part.name === name)?.cpuUs ?? 0)),
  }));
  const sum: ResultRow = { label: `${kind}: all together`, unit: 'µs/msg', ours: spreadOf(ours.map(sumOf)) };
  if (port.length === 0) return [...rows, sum];
  return [...rows, { ...sum, rival: { name: 'the port', measured: spreadOf(port.map(sumOf)) } }];
}

function sumOf(parts: readonly Used[]): number {
  return parts.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}
