import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dir, '../..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

test('every file and folder that the map of the code names is there', () => {
  const named = [...page.matchAll(/`([a-z][a-z0-9-]*\/(?:[a-z0-9-]+\/)*(?:[a-z0-9-]+\.ts)?)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((path) => !existsSync(join(root, 'src', path)))).toEqual([]);
});

test('every room of the code is on the map', () => {
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(rooms.filter(({ name }) => !page.includes(`\n| \`${name}/`)).map(({ name }) => name)).toEqual([]);
});
