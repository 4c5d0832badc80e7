import { usageOf } from './process-usage.ts';
import type { Servers } from './servers.ts';
import type { System } from './system.ts';

/** What one process, or PostgreSQL as a whole, used over a time. */
export interface Used {
  readonly name: string;
  readonly cpuUs: number;
  readonly rssBytes: number;
}

export interface CpuMeter {
  start(): void;
  /** Since `start`. */
  stop(): Used[];
}

/** Processor time of everything between the doors and the rows; the load's own is not in it. */
export function createCpuMeter({ programs }: System, servers: Servers): CpuMeter {
  const parts = [
    ...programs.map(({ name, pid }) => ({ name, read: () => usageOf(pid) })),
    { name: 'NATS', read: () => usageOf(servers.natsPid) },
    { name: 'PostgreSQL', read: () => usageOf(servers.postgresPid, 'tree') },
  ];
  let before: number[] = [];
  return {
    start: () => {
      before = parts.map(({ read }) => read().cpuUs);
    },
    stop: () =>
      parts.map(({ name, read }, index) => {
        const { cpuUs, rssBytes, pssBytes } = read();
        // PostgreSQL's processes share most of their memory.
        return {
          name,
          cpuUs: cpuUs - (before[index] ?? 0),
          rssBytes: name === 'PostgreSQL' ? (pssBytes ?? rssBytes) : rssBytes,
        };
      }),
  };
}
