import { standardFleet } from '../load/fleet.ts';
import type { LoadInterval } from '../load/load-spec.ts';
import { runLoad } from '../load/run-load.ts';
import { startAgeProbe } from '../measure/age-probe.ts';
import { createCpuMeter } from '../measure/cpu-meter.ts';
import type { LatencySummary } from '../measure/histogram.ts';
import { spreadOf } from '../measure/statistics.ts';
import { type System, startOurs } from '../measure/system.ts';
import type { Bench, FigureResult, Plot, ResultRow } from './figure.ts';
import { doorOf, emptied } from './load-system.ts';
import { sustain } from './whole-system.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly door: 'single' | 'batch';
  /** Messages per second; default: half of what is found to be sustained. */
  readonly messagesPerSecond: number | undefined;
}

/** What was seen at one moment; times in minutes since the start. */
interface Sample {
  readonly minute: number;
  readonly settled: number;
  readonly backlog: number;
  readonly rssMiB: ReadonlyMap<string, number>;
}

interface Soaked {
  readonly messagesPerSecond: number;
  readonly intervals: readonly LoadInterval[];
  readonly samples: readonly Sample[];
  readonly age: LatencySummary;
}

export const sampleMs = 5_000;

/** A long load at half of the maximum: throughput, latency and memory must stay flat. */
export async function soak(bench: Bench, options: SoakOptions): Promise<FigureResult> {
  await bench.backend.clear();
  await bench.backend.register(standardFleet);
  const messagesPerSecond = options.messagesPerSecond ?? (await halfOfMaximum(bench, options.door));
  const system = await startOurs(bench.servers, bench.backend, bench);
  try {
    bench.say(`${messagesPerSecond} messages a second for ${options.minutes} minutes`);
    return soakResult(await load(bench, system, options, messagesPerSecond), options);
  } finally {
    await system.stop();
  }
}

async function halfOfMaximum(bench: Bench, door: SoakOptions['door']): Promise<number> {
  const system = await startOurs(bench.servers, bench.backend);
  try {
    return Math.round((await sustain(bench, system, door)).messagesPerSecond / 2);
  } finally {
    await system.stop();
  }
}

async function load(
  bench: Bench,
  system: System,
  { minutes, door }: SoakOptions,
  messagesPerSecond: number,
): Promise<Soaked> {
  const { backend, servers } = bench;
  const { httpPort, telemetryTable } = system;
  const startedAtMs = performance.now();
  const meter = createCpuMeter(system, servers);
  const intervals: LoadInterval[] = [];
  const samples: Sample[] = [];
  const sample = async () => {
    const minute = (performance.now() - startedAtMs) / 60_000;
    const rssMiB = new Map(meter.stop().map(({ name, rssBytes }) => [name, rssBytes / 1024 ** 2]));
    samples.push({ minute, settled: await backend.settled(), backlog: await backend.backlog(), rssMiB });
  };
  const probe = await startAgeProbe({ httpPort, pool: backend.pool, telemetryTable, sendsPerSecond: 2 });
  const sampling = setInterval(() => void sample(), sampleMs);
  try {
    await runLoad(
      {
        door: doorOf(system, door),
        fleet: standardFleet,
        pace: { kind: 'open', messagesPerSecond },
        warmUpMs: 1_000,
        measureMs: minutes * 60_000,
        intervalMs: sampleMs,
      },
      { onInterval: (interval) => intervals.push(interval) },
    );
  } finally {
    clearInterval(sampling);
  }
  const age = await probe.finish();
  await emptied(backend);
  return { messagesPerSecond, intervals, samples, age };
}

function soakResult(soaked: Soaked, { minutes, door, messagesPerSecond: given }: SoakOptions): FigureResult {
  const { messagesPerSecond, intervals, samples, age } = soaked;
  const failed = intervals.reduce((sum, interval) => sum + interval.failed, 0);
  const names = [...(samples[0]?.rssMiB.keys() ?? [])];
  return {
    rows: [
      lastAgainstFirst('accepted a second', 'msg/s', intervals.map(acceptedPerSecond)),
      lastAgainstFirst(
        'settled a second',
        'msg/s',
        settledPerSecond(samples).map(([, rate]) => rate),
      ),
      lastAgainstFirst(
        '202 at p50',
        'ms',
        intervals.map(({ latency }) => latency.p50Ms),
      ),
      lastAgainstFirst(
        '202 at p99',
        'ms',
        intervals.map(({ latency }) => latency.p99Ms),
      ),
      ...names.map((name) =>
        lastAgainstFirst(
          `memory: ${name}`,
          'MiB',
          samples.map(({ rssMiB }) => rssMiB.get(name) ?? 0),
        ),
      ),
    ],
    notes: [
      `${minutes} minutes at ${messagesPerSecond} messages a second (${door})${given === undefined ? ', half of what is sustained' : ''}; ${failed} were not accepted.`,
      `Each row: the median of the last third against that of the first. Rows were ${Math.round(age.p50Ms)} ms old at the median when they could be seen, ${Math.round(age.p99Ms)} ms at p99, ${Math.round(age.maxMs)} ms at most.`,
    ],
    plots: plotsOf(soaked, names),
    details: {
      ...soaked,
      samples: samples.map((each) => ({ ...each, rssMiB: Object.fromEntries(each.rssMiB) })),
    },
  };
}

/** The two thirds as spreads: min and max show what the plot shows. */
function lastAgainstFirst(label: string, unit: string, values: readonly number[]): ResultRow {
  const third = Math.max(1, Math.floor(values.length / 3));
  const first = spreadOf(values.slice(0, third));
  const last = spreadOf(values.slice(-third));
  const ratio = spreadOf([first.median === 0 ? 1 : last.median / first.median]);
  return { label, unit, ours: last, rival: { name: 'the first third', measured: first }, ratio };
}

function acceptedPerSecond({ accepted }: LoadInterval): number {
  return (accepted * 1_000) / sampleMs;
}

function settledPerSecond(samples: readonly Sample[]): (readonly [number, number])[] {
  return samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    return [
      sample.minute,
      (sample.settled - before.settled) / ((sample.minute - before.minute) * 60),
    ] as const;
  });
}

function plotsOf({ intervals, samples }: Soaked, names: readonly string[]): Plot[] {
  const over = (value: (interval: LoadInterval) => number) =>
    intervals.map((interval, n) => [((n + 1) * sampleMs) / 60_000, value(interval)] as const);
  const sampled = (value: (sample: Sample) => number) =>
    samples.map((each) => [each.minute, value(each)] as const);
  return [
    {
      name: 'soak-throughput',
      title: 'Throughput and backlog',
      xLabel: 'minutes',
      yLabel: 'messages a second; messages',
      lines: [
        { label: 'accepted', points: over(acceptedPerSecond) },
        { label: 'settled', points: settledPerSecond(samples) },
        { label: 'backlog', points: sampled(({ backlog }) => backlog) },
      ],
    },
    {
      name: 'soak-latency',
      title: 'Time to the 202',
      xLabel: 'minutes',
      yLabel: 'ms',
      lines: [
        { label: 'p50', points: over(({ latency }) => latency.p50Ms) },
        { label: 'p99', points: over(({ latency }) => latency.p99Ms) },
      ],
    },
    {
      name: 'soak-memory',
      title: 'Resident memory',
      xLabel: 'minutes',
      yLabel: 'MiB',
      lines: names.map((name) => ({ label: name, points: sampled(({ rssMiB }) => rssMiB.get(name) ?? 0) })),
    },
  ];
}
