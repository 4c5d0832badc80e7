import { backoffMs } from '../../lib/backoff.ts';
import type { ChildExit } from './child-process.ts';
import { UpError } from './up-error.ts';

/** A process that a supervisor looks after: one of our servers, or a role. */
export interface SupervisedProcess {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Stops in order, within a deadline of its own. */
  stop(): Promise<unknown>;
  /** Stops at once. */
  kill(): Promise<unknown>;
}

export interface SupervisorOptions {
  readonly name: string;
  /** Starts the process; called again whenever it has ended by itself. Throws when it cannot be started. */
  readonly start: () => Promise<SupervisedProcess>;
  readonly logFile: string;
  readonly note: (line: string) => void;
  readonly onStarted?: (process: SupervisedProcess) => void;
  readonly onEnded?: (process: SupervisedProcess) => void;
  /** Called once when starting it again cannot help: its settings are wrong. */
  readonly onFatal: (error: UpError) => void;
  /** What it said at its end, for the line that says so. */
  readonly lastWords?: () => string | undefined;
}

export interface Supervisor {
  readonly name: string;
  /** The process of the moment; `undefined` while it waits to be started again. */
  pid(): number | undefined;
  /** Stops in order; nothing is started again after. */
  stop(): Promise<void>;
  /** Makes a stop under way, or a new one, immediate. */
  kill(): Promise<void>;
}

/** What a process exits with when its settings are wrong (EX_CONFIG of sysexits). */
const configurationExitCode = 78;

const restartDelay = { firstMs: 250, longestMs: 30_000, calmAfterMs: 60_000 } as const;

/** Doubles with each failure in a row. No jitter: one child at a time leaves no crowd to spread. */
function restartDelayMs(failures: number): number {
  return backoffMs(failures - 1, { baseMs: restartDelay.firstMs, maxMs: restartDelay.longestMs }, () => 1);
}

/** Starts the process and keeps it running. Throws when its first start fails. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { name, note } = options;
  let current: SupervisedProcess | undefined = await options.start();
  options.onStarted?.(current);
  const stopping = Promise.withResolvers<void>();
  let stopRequested = false;
  const loop = keepRunning();

  async function keepRunning(): Promise<void> {
    let failures = 0;
    while (current !== undefined) {
      const startedAt = performance.now();
      const exit = await current.exited;
      options.onEnded?.(current);
      current = undefined;
      if (stopRequested) return;
      if (exit.code === configurationExitCode) return options.onFatal(fatalError(options));
      failures = performance.now() - startedAt > restartDelay.calmAfterMs ? 1 : failures + 1;
      current = await startAgain(describeExit(exit, options), failures);
    }
  }

  async function startAgain(why: string, failuresBefore: number): Promise<SupervisedProcess | undefined> {
    let reason = why;
    for (let failures = failuresBefore; ; failures += 1) {
      const delayMs = restartDelayMs(failures);
      note(`${name} ${reason}; starting it again in ${delayMs / 1000} s (log: ${options.logFile})`);
      await Promise.race([Bun.sleep(delayMs), stopping.promise]);
      if (stopRequested) return undefined;
      try {
        const next = await options.start();
        options.onStarted?.(next);
        note(`${name} runs again`);
        if (stopRequested) void next.stop();
        return next;
      } catch (error) {
        reason = `did not start: ${(error as Error).message}`;
      }
    }
  }

  const requestStop = () => {
    stopRequested = true;
    stopping.resolve();
  };
  return {
    name,
    pid: () => current?.pid,
    stop: async () => {
      requestStop();
      await current?.stop();
      await loop;
    },
    kill: async () => {
      requestStop();
      await current?.kill();
      await loop;
    },
  };
}

function fatalError({ name, logFile, lastWords }: SupervisorOptions): UpError {
  return new UpError(`${name} cannot run with these settings: ${lastWords?.() ?? `see ${logFile}`}`);
}

function describeExit(exit: ChildExit, { lastWords }: SupervisorOptions): string {
  if (exit.signal !== null) return `was ended by ${exit.signal}`;
  const words = exit.code === 0 ? undefined : lastWords?.()?.slice(0, 200);
  return `ended with exit code ${exit.code}${words === undefined ? '' : `: ${words}`}`;
}
