import { join } from 'node:path';
import { startRole } from '../../roles/up/role-processes.ts';
import type { Broker } from './broker.ts';
import type { FakedClocks } from './faked-clock.ts';
import type { Links } from './links.ts';
import type { Launched, Member } from './member.ts';
import type { ProvenRole } from './proven-role.ts';
import { saysReady } from './ready.ts';
import { natsUrl, postgresUrl } from './servers.ts';
import { bridgeSettings, plainEnvironment, roleSettings, type StackShape } from './settings.ts';

export const databaseName = 'tributary';

export interface RolesOptions {
  readonly shape: StackShape;
  readonly counts: Readonly<Record<ProvenRole, number>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly roleCommand: (role: ProvenRole) => readonly string[];
  readonly folder: string;
  readonly links: Links | undefined;
  readonly natsPorts: readonly number[];
  readonly postgresPort: number;
  readonly doorPorts: { readonly gateway: readonly number[]; readonly mqtt: readonly number[] };
  readonly broker: Pick<Broker, 'bridgeUrl'> | undefined;
  readonly clocks: FakedClocks | undefined;
}

/** The roles of a stack, not started yet. */
export function createRoles(
  options: RolesOptions,
  member: (role: ProvenRole, name: string, launch: () => Promise<Launched>) => Member,
): Member[] {
  return rolesOf(options.shape).flatMap((role) =>
    Array.from({ length: countOf(role, options) }, (_, index) => {
      const name = `${role}-${index + 1}`;
      const environment = roleEnvironment(role, name, index, options);
      const logFile = join(options.folder, 'logs', `${name}.log`);
      const command = [...(options.clocks?.clockOf(name).prefix ?? []), ...options.roleCommand(role)];
      return member(role, name, async () => {
        const child = startRole({ command, environment, logFile });
        return { ...child, saidReady: () => saysReady(logFile, child.pid) };
      });
    }),
  );
}

function countOf(role: ProvenRole, { shape, counts }: Pick<RolesOptions, 'shape' | 'counts'>): number {
  return role === 'mqtt-bridge' && shape.plainSubscription ? 1 : counts[role];
}

function rolesOf({ bridged, routed }: StackShape): readonly ProvenRole[] {
  const doorRoles: readonly ProvenRole[] = bridged ? ['mqtt-bridge'] : ['gateway', 'mqtt'];
  return [...doorRoles, 'worker', ...(routed ? (['delivery'] as const) : [])];
}

function roleEnvironment(role: ProvenRole, name: string, index: number, options: RolesOptions) {
  const { links, shape, folder, doorPorts, broker } = options;
  const natsPorts = links === undefined ? options.natsPorts : [links.nats[role]];
  const postgresPort = links?.postgres[role] ?? options.postgresPort;
  return {
    ...plainEnvironment(options.environment),
    ...roleSettings(shape, {
      folder,
      natsUrl: natsUrl(natsPorts),
      databaseUrl: postgresUrl(postgresPort, databaseName),
    }),
    ...(role === 'gateway' ? { TRIBUTARY_HTTP_PORT: String(doorPorts.gateway[index]) } : {}),
    ...(role === 'mqtt' ? { TRIBUTARY_MQTT_PORT: String(doorPorts.mqtt[index]) } : {}),
    ...(role === 'mqtt-bridge' && broker !== undefined ? bridgeSettings(shape, broker.bridgeUrl, name) : {}),
  };
}
