import { readFileSync } from 'node:fs';
import type { NatsConnection } from '@nats-io/nats-core';
import { acceptsConnections } from '../../roles/up/ports.ts';
import { requestMany } from '../../stream/request-many.ts';
import { rolesStatusSubject } from '../../stream/subjects.ts';
import type { Broker } from './broker.ts';
import type { Member } from './member.ts';
import { type StackShape, sessionsOf } from './settings.ts';

const readyTimeoutMs = 30_000;

export interface ReadyOptions {
  readonly nc: NatsConnection;
  readonly roles: readonly Member[];
  readonly doorPorts: { readonly gateway: readonly number[]; readonly mqtt: readonly number[] };
  readonly broker: Pick<Broker, 'hasSession'> | undefined;
  readonly shape: StackShape;
  readonly folder: string;
  readonly now: () => number;
}

/** Resolves when each role answers on NATS and each door accepts connections. */
export async function whenReady({
  nc,
  roles,
  doorPorts,
  broker,
  shape,
  folder,
  now,
}: ReadyOptions): Promise<void> {
  const deadline = now() + readyTimeoutMs;
  for (;;) {
    const pids = await answeringPids(nc);
    const waiting = roles.filter((role) => !pids.has(role.pid()));
    const open = await Promise.all(
      [...doorPorts.gateway, ...doorPorts.mqtt].map((port) => acceptsConnections(port)),
    );
    if (waiting.length === 0 && open.every(Boolean) && haveSessions(roles, broker, shape)) return;
    if (now() > deadline) {
      const names = waiting.map(({ name }) => name).join(', ') || 'sessions at the broker are';
      throw new Error(`${names} not ready within ${readyTimeoutMs / 1000} s; see ${folder}/logs`);
    }
    await Bun.sleep(25);
  }
}

/** Whether the broker has written the bridges' sessions: killed before, it would not know them. */
function haveSessions(roles: readonly Member[], broker: ReadyOptions['broker'], shape: StackShape): boolean {
  const bridges = roles.filter(({ kind }) => kind === 'mqtt-bridge');
  return bridges.every(({ name }) => sessionsOf(shape, name).every((session) => broker?.hasSession(session)));
}

/** Whether the role's process has said in its log that it is ready. */
export function saysReady(logFile: string, pid: number): boolean {
  const lines = readFileSync(logFile, 'utf8').split('\n');
  return lines.some((line) => line.includes('"event":"ready"') && line.includes(`"pid":${pid},`));
}

async function answeringPids(nc: NatsConnection): Promise<Set<unknown>> {
  const asked = { timeoutMs: 500, stallMs: 50 };
  const answers = await requestMany(nc, rolesStatusSubject, new Uint8Array(), asked);
  return new Set(
    answers.map((answer) => (JSON.parse(new TextDecoder().decode(answer)) as { pid?: unknown }).pid),
  );
}
