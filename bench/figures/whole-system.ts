import { standardFleet } from '../load/fleet.ts';
import type { LoadResult } from '../load/load-spec.ts';
import { runLoad } from '../load/run-load.ts';
import { startAgeProbe } from '../measure/age-probe.ts';
import type { LatencySummary } from '../measure/histogram.ts';
import { spreadOf } from '../measure/statistics.ts';
import { findSustainedRate, isFlat, type Trial } from '../measure/sustained-rate.ts';
import { type System, startOurs, startRivalSystem } from '../measure/system.ts';
import type { Bench, Figure, FigureResult, ResultRow } from './figure.ts';
import { atLeast, below, comparedRow, compareInTurn } from './in-turn.ts';
import { type DoorKind, doorOf, emptied, loadAndWatch } from './load-system.ts';
import { requireAccepted } from './require-accepted.ts';

interface Sustained {
  readonly messagesPerSecond: number;
  readonly age: LatencySummary;
}

/** What the whole machine sustains from the door to the row, against the brief's straight port. */
export const wholeSystem: Figure = {
  name: 'whole',
  title: 'Whole system on this machine, backlog flat',
  async run(bench) {
    await bench.backend.clear();
    await bench.backend.register(standardFleet);
    const results: FigureResult[] = [];
    for (const kind of ['single', 'batch'] as const) results.push(await measureDoor(bench, kind));
    return {
      rows: results.flatMap(({ rows }) => rows),
      notes: [
        'All roles, NATS, PostgreSQL and the load share the machine. The rate is the highest that bisection found to hold: everything accepted, the backlog flat.',
        'The rival is the brief ported straight to TypeScript: Fastify on Node, one js.publish a message, multi-row INSERTs of 500, ack after the insert. It does less: no claims, no identities, no latest values, no quarantine.',
        'Ages are of probes sent singly among a load of half that rate, from when they were due at the door to when a query sees the row; looked for every 5 ms.',
      ],
      details: results.map(({ details }) => details),
    };
  },
};

async function measureDoor(bench: Bench, kind: DoorKind): Promise<FigureResult> {
  const { servers, backend } = bench;
  const ours: Sustained[] = [];
  const rival: Sustained[] = [];
  const measured = async (into: Sustained[], start: () => Promise<System>) => {
    const system = await start();
    try {
      const sustained = await sustain(bench, system, kind);
      into.push(sustained);
      return sustained.messagesPerSecond;
    } finally {
      await system.stop();
    }
  };
  bench.say(`${kind}: looking for the rate that holds`);
  const compared = await compareInTurn(wholeRounds(bench), {
    ours: () => measured(ours, () => startOurs(servers, backend)),
    rival: () => measured(rival, () => startRivalSystem(servers, backend)),
  });
  const ageRow = (label: string, of: (age: LatencySummary) => number): ResultRow => ({
    label: `whole, ${kind}: row's age ${label}`,
    unit: 'ms',
    ours: spreadOf(ours.map(({ age }) => of(age))),
    rival: { name: 'the port', measured: spreadOf(rival.map(({ age }) => of(age))) },
  });
  return {
    rows: [
      comparedRow(`whole system, ${kind}`, 'msg/s', 'the port', compared, atLeast(2)),
      ageRow('p50', ({ p50Ms }) => p50Ms),
      { ...ageRow('p99', ({ p99Ms }) => p99Ms), wanted: below(500) },
    ],
    notes: [],
    details: { kind, ours, rival },
  };
}

/** A round takes minutes here. */
function wholeRounds({ effort }: Bench): number {
  return effort.quick ? 1 : Math.min(3, effort.rounds);
}

/** The highest rate that holds, then the age of rows at half of it. */
export async function sustain(bench: Bench, system: System, kind: DoorKind): Promise<Sustained> {
  const { effort } = bench;
  const trialMs = effort.quick ? 1_500 : 8_000;
  const upper = 1.2 * (await fastestAnswers(bench, system, kind));
  const found = await findSustainedRate({
    upper,
    steps: effort.quick ? 3 : 6,
    attempt: (rate) => attempt(bench, system, kind, rate, trialMs),
  });
  const messagesPerSecond = effort.quick ? found : await confirm(bench, system, kind, found);
  bench.say(`${kind}: ${system.telemetryTable} holds ${Math.round(messagesPerSecond)} messages a second`);
  return { messagesPerSecond, age: await ageAt(bench, system, kind, messagesPerSecond / 2) };
}

const confirmMs = 60_000;
const maxConfirmations = 6;

/** A minute at the rate; where it does not hold that long, a little less. */
async function confirm(bench: Bench, system: System, kind: DoorKind, found: number): Promise<number> {
  let rate = found;
  for (let tries = 0; tries < maxConfirmations; tries += 1) {
    if ((await attempt(bench, system, kind, Math.round(rate), confirmMs)).held) return rate;
    rate *= 0.95;
  }
  throw new Error(
    `${Math.round(found)} messages a second held for seconds, and ${Math.round(rate)} not for a minute`,
  );
}

/** What the door answers when it is asked as fast as it answers: more than the system sustains. */
async function fastestAnswers(bench: Bench, system: System, kind: DoorKind): Promise<number> {
  const load = await runLoad({
    door: doorOf(system, kind),
    fleet: standardFleet,
    pace: { kind: 'closed' },
    // Cold code is slow, and Node's takes longer to get warm.
    warmUpMs: bench.effort.quick ? 1_000 : 4_000,
    measureMs: bench.effort.quick ? 1_000 : 3_000,
  });
  await emptied(bench.backend);
  return requireAccepted(load, `the whole system, ${kind}`).acceptedPerSecond;
}

async function attempt(
  bench: Bench,
  system: System,
  kind: DoorKind,
  messagesPerSecond: number,
  measureMs: number,
): Promise<Trial> {
  const { load, backlog } = await loadAndWatch(bench, system, kind, messagesPerSecond, measureMs);
  await emptied(bench.backend);
  const why = whyNot(load, isFlat({ backlog, messagesPerSecond, measureMs }), messagesPerSecond);
  bench.say(`${kind}: ${messagesPerSecond}/s ${why === '' ? 'holds' : `does not hold: ${why}`}`);
  return { held: why === '', why };
}

function whyNot(load: LoadResult, flat: boolean, messagesPerSecond: number): string {
  if (load.failed > 0) return `${load.failed} were refused (${load.failures.join('; ')})`;
  // More than half a second's worth without an answer: the door is behind.
  if (load.latency.p99Ms > 500) return `the door took ${Math.round(load.latency.p99Ms)} ms at p99`;
  if (load.acceptedPerSecond < messagesPerSecond * 0.98) return 'the load could not be sent at this rate';
  return flat ? '' : 'the backlog grew';
}

async function ageAt(bench: Bench, system: System, kind: DoorKind, rate: number): Promise<LatencySummary> {
  const probe = await startAgeProbe({
    httpPort: system.httpPort,
    pool: bench.backend.pool,
    telemetryTable: system.telemetryTable,
    sendsPerSecond: 50,
  });
  await loadAndWatch(bench, system, kind, Math.round(rate), bench.effort.quick ? 2_000 : 30_000);
  const age = await probe.finish();
  await emptied(bench.backend);
  return age;
}
