import type { Config } from '../config/settings.ts';
import { whenAborted } from '../lib/when-aborted.ts';
import type { RoleDeps } from '../roles/process/role-deps.ts';
import { CliError } from './exit-codes.ts';
import type { Signals } from './signals.ts';

/** What every role gives when it has started. */
export interface RunningRole {
  drain(): Promise<void>;
  /** Rejects with an error that no retry mends: the process is to end. */
  readonly failed?: Promise<never>;
  /** Resolves when there is nothing left to do. */
  readonly done?: Promise<void>;
}

export type StartRole = (config: Config, deps: RoleDeps) => RunningRole | Promise<RunningRole>;

export interface RunRoleOptions {
  readonly name: string;
  readonly start: StartRole;
  readonly config: Config;
  readonly signals: Signals;
  readonly drainTimeoutMs: number;
}

/**
 * Runs a role until a signal asks for its end, then drains it. One that is still starting breaks its start off.
 *
 * @throws CliError when it does not drain in time
 */
export async function runRole(options: RunRoleOptions): Promise<void> {
  const stop = options.signals.stop();
  const role = await startUnlessStopped(options, stop);
  if (role === undefined) return;
  await Promise.race([whenAborted(stop), role.failed, role.done].filter((each) => each !== undefined));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const seconds = options.drainTimeoutMs / 1_000;
    late.reject(new CliError(`${options.name} did not drain within ${seconds} s and was cut off.`));
  }, options.drainTimeoutMs);
  try {
    await Promise.race([role.drain(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function startUnlessStopped(
  { start, config }: RunRoleOptions,
  stop: AbortSignal,
): Promise<RunningRole | undefined> {
  if (stop.aborted) return undefined;
  try {
    return await start(config, { stop });
  } catch (error) {
    // Asked to stop while starting: whatever failed then, nothing was in hand.
    if (stop.aborted) return undefined;
    throw error;
  }
}
