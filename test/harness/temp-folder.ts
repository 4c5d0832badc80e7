import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of the test's own, gone after it. PostgreSQL's user must be able to pass through it. */
export function tempFolder(name: string): {
  readonly path: string;
  remove(): void;
  [Symbol.dispose](): void;
} {
  const path = mkdtempSync(join(tmpdir(), `tributary-${name}-`));
  chmodSync(path, 0o711);
  const remove = () => rmSync(path, { recursive: true, force: true });
  return { path, remove, [Symbol.dispose]: remove };
}
