import { cpus } from 'node:os';
import type { LoadResult, LoadSpec } from '../load/load-spec.ts';
import { runLoad } from '../load/run-load.ts';
import { usageOf } from '../measure/process-usage.ts';
import { spreadOf } from '../measure/statistics.ts';

/** Processor time of one process for a message, in µs. */
export interface Share {
  readonly name: string;
  readonly usPerMessage: number;
}

/** A process that takes part; `tree`: with all below it, as PostgreSQL is. */
export interface TakesPart {
  readonly name: string;
  readonly pid: number;
  readonly scope?: 'tree';
}

/** Reads the processor times of these processes now. @returns what gives each one's time since, in µs */
export function startTimes(processes: readonly TakesPart[]): () => number[] {
  const read = () => processes.map(({ pid, scope }) => usageOf(pid, scope).cpuUs);
  const before = read();
  return () => read().map((cpuUs, index) => cpuUs - (before[index] ?? 0));
}

export function sharesOf(processes: readonly TakesPart[], us: readonly number[], messages: number): Share[] {
  return processes.map(({ name }, index) => ({ name, usPerMessage: (us[index] ?? 0) / messages }));
}

/** Runs a load and says what each process, and the load itself, took for a message in the measured time. */
export async function loadWithTimes(
  spec: LoadSpec,
  processes: readonly TakesPart[],
): Promise<{ readonly load: LoadResult; readonly shares: Share[] }> {
  let took: (() => number[]) | undefined;
  let us: number[] = [];
  const load = await runLoad(spec, {
    onMeasuring: () => {
      took = startTimes(processes);
    },
    onMeasured: () => {
      us = took?.() ?? [];
    },
  });
  const { loadCpuShare, elapsedMs, accepted } = load;
  return {
    load,
    shares: [
      ...sharesOf(processes, us, accepted),
      { name: 'the load', usPerMessage: (loadCpuShare * elapsedMs * 1_000) / accepted },
    ],
  };
}

/**
 * Gathers, round by round, what each process takes for a message of one side. It says what bounds a rate where the processor
 * does: all cores together, or the one of a single process.
 */
export class ProcessorTimes {
  readonly #rounds: Share[][] = [];

  add(shares: readonly Share[]): void {
    this.#rounds.push([...shares]);
  }

  /** Such as `gateway 21.3 + NATS 9.0 + the load 8.1 = 38.4 µs: 2 cores hold 52,100 a second` */
  sentence(): string {
    const parts = (this.#rounds[0] ?? []).map(({ name }, index) => ({
      name,
      us: spreadOf(this.#rounds.map((round) => round[index]?.usPerMessage ?? 0)).median,
    }));
    const sum = parts.reduce((total, { us }) => total + us, 0);
    const cores = cpus().length;
    const most = Math.round((cores * 1_000_000) / sum / 100) * 100;
    const listed = parts.map(({ name, us }) => `${name} ${us.toFixed(1)}`).join(' + ');
    return `${listed} = ${sum.toFixed(1)} µs: ${cores} cores hold ${most.toLocaleString('en')} a second`;
  }
}
