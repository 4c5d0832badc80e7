import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CliError } from './exit-codes.ts';

export interface SecretFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Refuses to go on where a file is there already, unless that is wanted: what it holds is in use somewhere.
 * @returns the folder's full path @throws CliError that names the file
 */
export function checkSecretFolder(folder: string, names: readonly string[], force: boolean): string {
  const path = resolve(folder);
  const there = names.map((name) => join(path, name)).find((file) => existsSync(file));
  if (there === undefined || force) return path;
  throw new CliError(
    `${there} is there already: name another folder, or add --force, which changes all passwords.`,
  );
}

/** Files that only their owner may read. */
export function writeSecretFiles(path: string, files: readonly SecretFile[]): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const { name, text } of files) {
    const file = join(path, name);
    writeFileSync(file, text, { mode: 0o600 });
    // One that was there keeps its mode otherwise.
    chmodSync(file, 0o600);
  }
}
