import { hostname } from 'node:os';
import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import packageJson from '../../../package.json' with { type: 'json' };
import { withDeadline } from '../../lib/deadline.ts';
import { rolesStatusSubject } from '../../stream/subjects.ts';
import { parseQuestion, type RoleQuestion } from '../status/role-question.ts';

export type RoleName = 'gateway' | 'mqtt' | 'mqtt-bridge' | 'worker' | 'delivery' | 'console';

/** What one process says of itself; a role may add members of its own. */
export interface RoleStatus {
  readonly role: RoleName;
  /** Unique among the running processes. */
  readonly id: string;
  readonly version: string;
  readonly pid: number;
  readonly host: string;
  readonly uptimeMs: number;
  /** Resident memory. */
  readonly rssBytes: number;
  /** Of all its threads, since it began, in user and kernel mode. */
  readonly cpuMs: number;
  readonly [more: string]: unknown;
}

const drainMs = 1_000;

export const version: string = packageJson.version;

/** `gateway-4711-k3f09a`: readable in a listing, and unique where containers share host names and pids. */
export function createRoleId(role: RoleName, random: () => number): string {
  const suffix = Math.floor(random() * 36 ** 6).toString(36);
  return `${role}-${process.pid}-${suffix.padStart(6, '0')}`;
}

export interface RoleStatusOptions {
  readonly nc: NatsConnection;
  readonly role: RoleName;
  readonly id: string;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** What the role adds, asked for each answer; cheap, and never throws. */
  readonly more?: (question: RoleQuestion) => Readonly<Record<string, unknown>>;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1_000);
}

/** Answers each request on `tributary.roles.status` with one JSON `RoleStatus`, so that nobody needs a list of processes. */
export function serveRoleStatus({ nc, role, id, now, more }: RoleStatusOptions): { drain(): Promise<void> } {
  const startedAtMs = now();
  const status = (question: RoleQuestion): RoleStatus => ({
    role,
    id,
    version,
    pid: process.pid,
    host: hostname(),
    uptimeMs: Math.round(now() - startedAtMs),
    rssBytes: process.memoryUsage.rss(),
    cpuMs: cpuMs(),
    ...more?.(question),
  });
  const subscription: Subscription = nc.subscribe(rolesStatusSubject, {
    callback: (error, message) => {
      if (error === null) message.respond(JSON.stringify(status(parseQuestion(message.data))));
    },
  });
  return {
    drain: async () => {
      // On a connection that is closed already there is nothing left to drain.
      if (nc.isClosed()) return;
      // A server that does not answer holds nobody up.
      await withDeadline(subscription.drain(), drainMs, () => undefined);
    },
  };
}
