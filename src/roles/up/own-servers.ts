import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { type DataFolder, writeFileAtomically } from './data-folder.ts';
import { UpError } from './up-error.ts';

const ownServersSchema = Type.Object({
  nats: Type.Object({ port: Type.Integer(), user: Type.String(), password: Type.String() }),
  postgres: Type.Object({ port: Type.Integer(), password: Type.String() }),
});

/** Ports and passwords of the servers that `up` runs itself; the same at each start as long as the ports are free. */
export type OwnServers = Readonly<Static<typeof ownServersSchema>>;

/**
 * Reads what an earlier start chose.
 * @throws UpError when the file is damaged, or missing although there is data that only it unlocks.
 */
export function readOwnServers(folder: DataFolder): OwnServers | undefined {
  const file = folder.serversFile;
  if (!existsSync(file)) {
    if (!existsSync(join(folder.postgresDir, 'PG_VERSION'))) return undefined;
    throw new UpError(
      `${file} is missing, and with it the password of ${folder.postgresDir}: restore it from a backup.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    value = undefined;
  }
  if (Check(ownServersSchema, value)) return value;
  throw new UpError(
    `${file} is damaged: restore it from a backup; it holds the password of ${folder.postgresDir}.`,
  );
}

export function writeOwnServers(folder: DataFolder, servers: OwnServers): void {
  writeFileAtomically(folder.serversFile, `${JSON.stringify(servers, null, 2)}\n`);
}
