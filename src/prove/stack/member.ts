import { existsSync, readFileSync } from 'node:fs';
import type { ChildExit } from '../../roles/up/child-process.ts';
import type { SupervisedProcess } from '../../roles/up/supervisor.ts';

export const memberKinds = ['gateway', 'mqtt', 'worker', 'nats', 'postgres'] as const;
/** Those that every stack has; `delivery` is only where routes deliver. */
export type CommonKind = (typeof memberKinds)[number];
export type MemberKind = CommonKind | 'delivery' | 'mqtt-bridge' | 'broker';

/** One process of the stack, which can be struck and comes back as the same member: same port, same data. */
export interface Member {
  readonly kind: MemberKind;
  /** `gateway-1` */
  readonly name: string;
  pid(): number | undefined;
  /** Starts it when it does not run; a server is ready then, a role on its way. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** An orderly end. Resolves to undefined when it did not run. */
  stop(): Promise<MemberEnd | undefined>;
  /** SIGSTOP or SIGCONT, to all of its processes. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
}

/** How a member ended that was asked to. */
export type MemberEnd = ChildExit & {
  readonly tookMs: number;
  /** Whether it had said that it is ready. */
  readonly wasReady: boolean;
};

export interface Launched extends SupervisedProcess {
  /** Without it: it is ready as soon as it is launched. */
  readonly saidReady?: () => boolean;
}

export interface MemberOptions {
  readonly kind: MemberKind;
  readonly name: string;
  readonly launch: () => Promise<Launched>;
  /** Told of an end that nobody asked for; it has been started again by then. */
  readonly onCrash: (name: string, exit: ChildExit) => void;
  readonly now: () => number;
}

export function createMember({ kind, name, launch, onCrash, now }: MemberOptions): Member {
  let running: Launched | undefined;
  let starting: Promise<void> | undefined;
  const start = async (): Promise<void> => {
    if (running !== undefined) return;
    // One at a time: a server that ended by itself may be on its way already.
    starting ??= launchOne().finally(() => {
      starting = undefined;
    });
    await starting;
  };
  const launchOne = async (): Promise<void> => {
    const process = await launch();
    running = process;
    void process.exited.then(async (exit) => {
      if (running !== process) return;
      running = undefined;
      onCrash(name, exit);
      await start().catch(() => undefined);
    });
  };
  /** From here on its end is what we asked for. */
  const release = () => {
    const process = running;
    running = undefined;
    return process;
  };
  return {
    kind,
    name,
    pid: () => running?.pid,
    start,
    kill: async () => void (await release()?.kill()),
    stop: async () => {
      const stoppedMs = now();
      const process = release();
      if (process === undefined) return undefined;
      const wasReady = process.saidReady?.() ?? true;
      await process.stop();
      return { ...(await process.exited), tookMs: now() - stoppedMs, wasReady };
    },
    signal: (signal) => {
      if (running === undefined) return;
      for (const pid of [running.pid, ...childrenOf(running.pid)]) sendSignal(pid, signal);
    },
  };
}

/** PostgreSQL's backends are processes of their own. Linux only; elsewhere the parent alone is signalled. */
export function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number);
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}
