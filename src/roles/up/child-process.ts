import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** How a child ended: an exit code, or the signal that ended it. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Sends a signal; a child that is gone already is not an error. */
  signal(signal: NodeJS.Signals): void;
}

export interface ChildOptions {
  readonly command: readonly string[];
  /** stdout and stderr are appended to this file. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** The signal Linux sends to the child when we die without stopping it; elsewhere the next start cleans up. */
  readonly signalWhenParentDies?: 'INT' | 'TERM';
  /** Run as this user instead of root. */
  readonly user?: ChildUser;
}

/**
 * An unprivileged user to run as. `bypassPermissions` lets it pass directories that only root may enter, for a
 * clone that lives in `/root`: PostgreSQL refuses to run as root, but its files are then out of reach otherwise.
 */
export interface ChildUser {
  readonly uid: number;
  readonly gid: number;
  readonly bypassPermissions: boolean;
}

const setprivPath = '/usr/bin/setpriv';
const maxLogBytes = 16 * 1024 * 1024;

/**
 * Starts a child in a session of its own, so that a Ctrl-C in the terminal reaches only us and we choose the
 * order in which the children stop.
 */
export function startChild(options: ChildOptions): Child {
  const log = openLog(options.logFile);
  try {
    const child = Bun.spawn([...wrapCommand(options)], {
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      detached: true,
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return {
      pid: child.pid,
      exited: child.exited.then((): ChildExit => {
        const signal = child.signalCode === null ? null : String(child.signalCode);
        return { code: child.exitCode, signal };
      }),
      signal: (signal) => child.kill(signal),
    };
  } finally {
    closeSync(log);
  }
}

/** Resolves to `true` when the child has ended within the time given. */
export async function endsWithin(child: Pick<Child, 'exited'>, timeoutMs: number): Promise<boolean> {
  const timeout = Promise.withResolvers<false>();
  const timer = setTimeout(() => timeout.resolve(false), timeoutMs);
  const ended = await Promise.race([child.exited.then(() => true), timeout.promise]);
  clearTimeout(timer);
  return ended;
}

/**
 * Polls a condition until it holds, the process ends, or time is up.
 * Returns `'ready'`, or the reason why not.
 */
export async function readyOrWhyNot(
  exited: Promise<ChildExit>,
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<string> {
  let ended: ChildExit | undefined;
  void exited.then((exit) => {
    ended = exit;
  });
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await condition()) return 'ready';
    if (ended !== undefined) return `it ended with ${ended.signal ?? `exit code ${ended.code}`}`;
    await Bun.sleep(15);
  }
  return `not ready within ${timeoutMs} ms`;
}

/** Asks with the first signal, waits, and goes on to the next; the last resort is SIGKILL. */
export async function stopChild(
  child: Child,
  steps: readonly { readonly signal: NodeJS.Signals; readonly waitMs: number }[],
): Promise<ChildExit> {
  for (const step of steps) {
    child.signal(step.signal);
    if (await endsWithin(child, step.waitMs)) return child.exited;
  }
  child.signal('SIGKILL');
  return child.exited;
}

/** The command with the changes of user and of fate that Linux's `setpriv` makes before it becomes the command. */
export function wrapCommand(
  options: Pick<ChildOptions, 'command' | 'signalWhenParentDies' | 'user'>,
): readonly string[] {
  const { user, signalWhenParentDies, command } = options;
  if (!existsSync(setprivPath)) {
    if (user !== undefined)
      throw new Error(`running a server as another user needs ${setprivPath} (package util-linux)`);
    return command;
  }
  const flags: string[] = [];
  if (user !== undefined) {
    flags.push('--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups');
    // access(2) looks at the real user and drops capabilities for it unless `no_setuid_fixup` is set.
    if (user.bypassPermissions) {
      flags.push('--securebits', '+no_setuid_fixup', '--inh-caps=-all,+dac_override');
      flags.push('--ambient-caps=-all,+dac_override', '--bounding-set=-all,+dac_override');
    }
  }
  if (signalWhenParentDies !== undefined) flags.push('--pdeathsig', signalWhenParentDies);
  return flags.length === 0 ? command : [setprivPath, ...flags, '--', ...command];
}

/** Opens a log for appending; one that has grown large is kept once as `.1`. */
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > maxLogBytes) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}
