import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempFolder } from '../harness/temp-folder.ts';

const root = resolve(import.meta.dir, '../..');

/** One line that is changed: the text must stand in the file exactly once. */
export interface Patch {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** A copy of the source tree with its own mistake in it. */
export function patchedSource(patches: readonly Patch[]): {
  readonly main: string;
  [Symbol.dispose](): void;
} {
  const folder = tempFolder('patched');
  for (const part of ['src', 'sql', 'package.json'])
    cpSync(join(root, part), join(folder.path, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'));
  for (const { file, replace, by } of patches) {
    const path = join(folder.path, file);
    const parts = readFileSync(path, 'utf8').split(replace);
    if (parts.length !== 2)
      throw new Error(`${file} holds ${JSON.stringify(replace)} ${parts.length - 1} times`);
    writeFileSync(path, parts.join(by));
  }
  return { main: join(folder.path, 'src/cli/main.ts'), [Symbol.dispose]: folder.remove };
}
