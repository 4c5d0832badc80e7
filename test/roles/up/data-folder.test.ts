import { expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFormatVersion, openDataFolder } from '../../../src/roles/up/data-folder.ts';
import { readOwnServers, writeOwnServers } from '../../../src/roles/up/own-servers.ts';
import { tempFolder } from '../../harness/temp-folder.ts';

test('a first start makes the folder with its version, a second one finds it', () => {
  using temp = tempFolder('data');
  const path = join(temp.path, 'not', 'there', 'yet');
  const first = openDataFolder(path);
  expect(readFileSync(join(path, 'version'), 'utf8')).toBe(`${dataFormatVersion}\n`);
  expect(openDataFolder(path)).toEqual(first);
});

test('a folder of a newer version is refused with one sentence that says what to do', () => {
  using temp = tempFolder('data');
  openDataFolder(temp.path);
  writeFileSync(join(temp.path, 'version'), `${dataFormatVersion + 1}\n`);
  expect(() => openDataFolder(temp.path)).toThrow(
    `${temp.path} was written by a newer version (format 2, this one reads up to 1): start that version, or set TRIBUTARY_DATA_DIR to another folder.`,
  );
});

test('a folder that holds something else is not touched', () => {
  using temp = tempFolder('data');
  writeFileSync(join(temp.path, 'thesis.tex'), '');
  expect(() => openDataFolder(temp.path)).toThrow(/is not empty and not a data folder of Tributary/);
});

test('a place that can be no folder is refused with one sentence that names the setting', () => {
  using temp = tempFolder('data');
  const file = join(temp.path, 'file');
  writeFileSync(file, '');
  expect(() => openDataFolder(file)).toThrow(
    /^cannot use \S+ as the data folder \(EEXIST[^\n]*\): set TRIBUTARY_DATA_DIR to a folder that \S+ may write\.$/,
  );
});

test('ports and passwords are kept, for their owner only', () => {
  using temp = tempFolder('data');
  const folder = openDataFolder(temp.path);
  expect(readOwnServers(folder)).toBeUndefined();
  const servers = { nats: { port: 1, user: 'u', password: 'n' }, postgres: { port: 2, password: 'p' } };
  writeOwnServers(folder, servers);
  expect(readOwnServers(folder)).toEqual(servers);
  expect(statSync(folder.serversFile).mode & 0o777).toBe(0o600);
});

test('damaged passwords are an error that names the file, not new passwords', () => {
  using temp = tempFolder('data');
  const folder = openDataFolder(temp.path);
  writeFileSync(folder.serversFile, '{"nats"');
  expect(() => readOwnServers(folder)).toThrow(/servers\.json is damaged: restore it from a backup/);
});
