import { join } from 'node:path';
import { type Program, startProgram } from '../measure/program.ts';
import type { Servers } from '../measure/servers.ts';

/** A rival that runs on Bun, from its file in this folder. */
export function startRival(
  servers: Servers,
  file: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  return startProgram({
    name: file.replace('.ts', ''),
    command: [process.execPath, join(import.meta.dir, file)],
    folder: servers.folder,
    env,
  });
}
