import { standardFleet } from '../load/fleet.ts';
import { clearPort, startPort } from '../rivals/port/start-port.ts';
import type { Backend } from './backend.ts';
import type { Program } from './program.ts';
import { type RoleName, startRole } from './roles.ts';
import type { Servers } from './servers.ts';

/** Everything from the doors to the rows, running. */
export interface System {
  readonly httpPort: number;
  /** 0 where there is no MQTT door. */
  readonly mqttPort: number;
  readonly programs: readonly Program[];
  /** Where readings become rows. */
  readonly telemetryTable: string;
  stop(): Promise<void>;
}

export interface SystemOptions {
  readonly profileFolder?: string | undefined;
}

/** What `tributary up` runs by default: one of each role. Starts on empty tables and a known fleet. */
export async function startOurs(
  servers: Servers,
  backend: Backend,
  options: SystemOptions = {},
): Promise<System> {
  await reset(backend);
  const start = (role: RoleName) => startRole(servers, role, options);
  return systemOf('telemetry', [() => start('gateway'), () => start('mqtt'), () => start('worker')]);
}

/** The rival: the brief's port, one door and one worker. */
export async function startRivalSystem(servers: Servers, backend: Backend): Promise<System> {
  await reset(backend);
  await clearPort(backend.pool);
  return systemOf('port_telemetry', [
    () => startPort(servers, 'gateway'),
    () => startPort(servers, 'worker'),
  ]);
}

async function reset(backend: Backend): Promise<void> {
  await backend.clear();
  await backend.knowSensors(standardFleet);
}

async function systemOf(
  telemetryTable: string,
  starts: readonly (() => Promise<Program>)[],
): Promise<System> {
  const programs: Program[] = [];
  const stop = async () => {
    // Doors first: what they took is still settled.
    for (const program of programs) await program.stop();
  };
  try {
    for (const start of starts) programs.push(await start());
  } catch (error) {
    await stop();
    throw error;
  }
  const portOf = (part: string) => programs.find(({ name }) => name.endsWith(part))?.port ?? 0;
  return { httpPort: portOf('gateway'), mqttPort: portOf('mqtt'), programs, telemetryTable, stop };
}
