import type { NatsConnection } from '@nats-io/nats-core';
import { requestMany } from '../../stream/request-many.ts';
import { rolesStatusSubject } from '../../stream/subjects.ts';
import { logFileOf, type UpContext } from './context.ts';
import { acceptsConnections } from './ports.ts';
import { lastWords, type RoleName, startRole } from './role-processes.ts';
import type { Stage } from './stages.ts';
import type { Supervisor } from './supervisor.ts';
import { UpError } from './up-error.ts';

export interface RolesOptions {
  readonly context: UpContext;
  /** The command line that runs a role. */
  readonly roleCommand: (role: RoleName) => readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly nc: NatsConnection;
  readonly stop: AbortSignal;
}

const readyTimeoutMs = 30_000;

/** Starts workers and doors together, and resolves when all of them are ready. */
export async function startRoles(options: RolesOptions): Promise<void> {
  const { config } = options.context;
  const host = reachableHost(config.bind);
  const all = [
    { role: 'worker', count: config.workers, answers: async () => true },
    { role: 'delivery', count: config.deliveries, answers: async () => true },
    {
      role: 'gateway',
      count: config.gateways,
      answers: () => isReady(`http://${host}:${config.httpPort}/readyz`),
    },
    { role: 'mqtt', count: 1, answers: () => acceptsConnections(config.mqttPort, host) },
    { role: 'console', count: 1, answers: () => isReady(`http://${host}:${config.consolePort}/readyz`) },
    // Not that its broker answers: that one may be away for now.
    { role: 'mqtt-bridge', count: config.bridgeUrl === undefined ? 0 : 1, answers: async () => true },
  ] as const;
  const roles = all.filter(({ count }) => count > 0);
  const what = roles.map(({ role, count }) => (count === 1 ? role : `${count} ${plural(role)}`)).join(', ');
  await options.context.progress.step(`starting ${what}`, async () => {
    const started = [];
    for (const { role, count, answers } of roles) {
      started.push({ supervisors: await startSome(options, role, count), answers });
    }
    for (const { supervisors, answers } of started) await whenReady(options, supervisors, answers);
  });
}

function plural(role: RoleName): string {
  return role === 'delivery' ? 'deliveries' : `${role}s`;
}

function stageOf(role: RoleName): Stage {
  if (role === 'worker') return 'workers';
  return role === 'delivery' ? 'delivery' : 'doors';
}

/** A listener on all addresses is reached over loopback. */
export function reachableHost(bind: string): string {
  return bind === '0.0.0.0' || bind === '::' ? '127.0.0.1' : bind;
}

async function startSome(options: RolesOptions, role: RoleName, count: number): Promise<Supervisor[]> {
  const { context, environment } = options;
  const supervisors: Supervisor[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = count === 1 ? role : `${role}-${number}`;
    const logFile = logFileOf(context.folder, name);
    const supervisor = await context.supervise(stageOf(role), {
      name,
      lastWords: () => lastWords(logFile),
      start: async () => startRole({ command: options.roleCommand(role), environment, logFile }),
    });
    supervisors.push(supervisor);
  }
  return supervisors;
}

/** A role is ready when each of its processes answers on NATS and its door, if it has one, is open. */
async function whenReady(
  { context, nc, stop }: RolesOptions,
  supervisors: readonly Supervisor[],
  answers: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  const allAnswer = async () => {
    const pids = await answeringPids(nc);
    return supervisors.every((supervisor) => pids.has(supervisor.pid())) && (await answers());
  };
  while (!(await Promise.race([allAnswer(), context.fatal]))) {
    if (stop.aborted) return;
    if (performance.now() > deadline) {
      const names = supervisors.map(({ name }) => name);
      const logs = names.map((name) => logFileOf(context.folder, name)).join(', ');
      throw new UpError(`${names.join(', ')} not ready within ${readyTimeoutMs / 1000} s; see ${logs}`);
    }
    await Bun.sleep(25);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

async function answeringPids(nc: NatsConnection): Promise<Set<unknown>> {
  const answers = await requestMany(nc, rolesStatusSubject, new Uint8Array(), {
    timeoutMs: 500,
    stallMs: 50,
  });
  return new Set(answers.map(pidOf));
}

function pidOf(answer: Uint8Array): unknown {
  try {
    const status: unknown = JSON.parse(new TextDecoder().decode(answer));
    return typeof status === 'object' && status !== null && 'pid' in status ? status.pid : undefined;
  } catch {
    return undefined;
  }
}
