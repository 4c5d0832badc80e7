import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SupervisedProcess } from '../../roles/up/supervisor.ts';

/** The wall clock of one process, and of all that it starts. Its monotonic clock stays as it is. */
export interface FakedClock {
  /** What goes before the command line. */
  readonly prefix: readonly string[];
  /** From now on it is ahead of the true time by this much, or behind. Takes effect at the next look at the clock. */
  set(aheadMs: number): void;
}

export interface FakedClockOptions {
  /** Of libfaketime: see `findFaketime`. */
  readonly libraryDir: string;
  readonly folder: string;
  readonly name: string;
  /** PostgreSQL looks at the clock in signal handlers, where the lock of the library for threads could meet itself. */
  readonly threaded: boolean;
}

export const faketimeMissing =
  'libfaketime is not there to set the clocks of processes (Debian: apt-get install libfaketime)';

/**
 * Where Debian's libfaketime is; undefined where it is not installed. nats-server is out of its reach: it is linked
 * statically and asks the kernel.
 */
export function findFaketime(root = '/usr/lib'): string | undefined {
  if (process.platform !== 'linux' || !existsSync(root)) return undefined;
  const folders = readdirSync(root).filter((name) => name.endsWith('-linux-gnu'));
  const found = folders.map((name) => join(root, name, 'faketime'));
  return found.find((folder) => existsSync(join(folder, libraryOf(true))));
}

function createFakedClock({ libraryDir, folder, name, threaded }: FakedClockOptions): FakedClock {
  const file = join(folder, name);
  const set = (aheadMs: number) => {
    // At once, or somebody reads half of it; PostgreSQL's user reads it, too.
    writeFileSync(`${file}.new`, faketimeOf(aheadMs), { mode: 0o644 });
    renameSync(`${file}.new`, file);
  };
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  set(0);
  const settings = {
    LD_PRELOAD: join(libraryDir, libraryOf(threaded)),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
  const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return { prefix: ['/usr/bin/env', ...words], set };
}

/** The clocks of a stack, one for each process by name. */
export interface FakedClocks {
  clockOf(name: string, options?: { readonly threaded: boolean }): FakedClock;
  /** @throws Error for a name that has none */
  set(name: string, aheadMs: number): void;
}

/** @throws Error with the remedy where the library is missing */
export function createFakedClocks(folder: string): FakedClocks {
  const libraryDir = findFaketime();
  if (libraryDir === undefined) throw new Error(faketimeMissing);
  const clocks = new Map<string, FakedClock>();
  return {
    clockOf: (name, { threaded } = { threaded: true }) => {
      const clock = createFakedClock({ libraryDir, folder, name, threaded });
      clocks.set(name, clock);
      return clock;
    },
    set: (name, aheadMs) => {
      const clock = clocks.get(name);
      if (clock === undefined) throw new Error(`${name} has no clock that can be set`);
      clock.set(aheadMs);
    },
  };
}

/** The library leaves a piece of shared memory behind, named after the process that loaded it. */
export function withoutLeftovers<P extends SupervisedProcess>(process: P): P {
  const remove = () => {
    for (const prefix of ['faketime_shm_', 'sem.faketime_sem_'])
      rmSync(join('/dev/shm', `${prefix}${process.pid}`), { force: true });
  };
  return {
    ...process,
    exited: process.exited.finally(remove),
    stop: () => process.stop().finally(remove),
    kill: () => process.kill().finally(remove),
  };
}

/** `+7200.000`, in seconds. */
function faketimeOf(aheadMs: number): string {
  return `${aheadMs < 0 ? '-' : '+'}${(Math.abs(aheadMs) / 1_000).toFixed(3)}\n`;
}

function libraryOf(threaded: boolean): string {
  return threaded ? 'libfaketimeMT.so.1' : 'libfaketime.so.1';
}
