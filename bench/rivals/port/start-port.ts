import { join } from 'node:path';
import type pg from 'pg';
import { type Program, startProgram } from '../../measure/program.ts';
import type { Servers } from '../../measure/servers.ts';

/** Inside the project, so that Node finds the packages. */
const builtFolder = join(import.meta.dir, '../../results/tmp');

const tables = `
create table if not exists port_telemetry (
  time timestamptz not null, tenant_id text not null, device_id text not null, site_id text not null,
  msg_type text not null, metrics jsonb not null
);
create index if not exists port_telemetry_device_time on port_telemetry (tenant_id, device_id, time desc);
create table if not exists port_sensors (
  tenant_id text not null, device_id text not null, metric text not null, discovered_at timestamptz not null default now(),
  primary key (tenant_id, device_id, metric)
)`;

/** Empties the rival's tables; its sensors are known, as ours are. */
export async function clearPort(pool: pg.Pool): Promise<void> {
  await pool.query(tables);
  await pool.query('truncate port_telemetry, port_sensors');
  await pool.query(
    'insert into port_sensors (tenant_id, device_id, metric) select tenant_id, device_id, metric from sensors',
  );
}

/** A part of the rival, bundled from TypeScript and run on Node. @throws Error when it cannot be bundled */
export async function startPort(servers: Servers, part: 'gateway' | 'worker'): Promise<Program> {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, `${part}.ts`)],
    outdir: builtFolder,
    naming: `port-${part}.mjs`,
    target: 'node',
    packages: 'external',
  });
  if (!built.success) throw new Error(`the port's ${part} could not be bundled: ${built.logs.join('; ')}`);
  return startProgram({
    name: `port-${part}`,
    command: ['node', join(builtFolder, `port-${part}.mjs`)],
    folder: servers.folder,
    env: { NATS_URL: servers.natsUrl, DATABASE_URL: servers.databaseUrl, NODE_ENV: 'production' },
  });
}
