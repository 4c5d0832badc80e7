import { join } from 'node:path';
import { type Program, startProgram } from './program.ts';
import type { Servers } from './servers.ts';

export type RoleName = 'gateway' | 'mqtt' | 'worker' | 'delivery' | 'console';

const main = join(import.meta.dir, '../../src/cli/main.ts');

/**
 * What differs from a fresh installation: no limit may turn the load away, since limits are not what is measured.
 * Everything that costs time is as shipped.
 */
const withoutLimits = {
  TRIBUTARY_DEVICE_RATE: '10000000',
  TRIBUTARY_DEVICE_BURST: '100000000',
  TRIBUTARY_TENANT_RATE: '10000000',
  TRIBUTARY_TENANT_BURST: '100000000',
  TRIBUTARY_STREAM_MAX_BYTES: String(16 * 1024 ** 3),
  TRIBUTARY_STREAM_MAX_PER_TENANT: '100000000',
};

export interface RoleOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Where a processor profile goes when the role ends; none when absent. */
  readonly profileFolder?: string | undefined;
}

/** A role as users run it, as a process of its own. */
export function startRole(servers: Servers, role: RoleName, options: RoleOptions = {}): Promise<Program> {
  const { profileFolder } = options;
  const profile =
    profileFolder === undefined
      ? []
      : ['--cpu-prof-md', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${role}-${Date.now()}.md`];
  return startProgram({
    name: role,
    command: [process.execPath, ...profile, main, role],
    folder: servers.folder,
    env: {
      NATS_URL: servers.natsUrl,
      DATABASE_URL: servers.databaseUrl,
      TRIBUTARY_HTTP_PORT: '0',
      TRIBUTARY_MQTT_PORT: '0',
      TRIBUTARY_CONSOLE_PORT: '0',
      ...withoutLimits,
      ...options.env,
    },
  });
}

/** The topology that the roles make with these settings. */
export const streamLimits = {
  streamMaxBytes: Number(withoutLimits.TRIBUTARY_STREAM_MAX_BYTES),
  streamMaxPerTenant: Number(withoutLimits.TRIBUTARY_STREAM_MAX_PER_TENANT),
  streamReplicas: 1,
  ackWaitMs: 30_000,
  maxAckPending: 50_000,
} as const;
