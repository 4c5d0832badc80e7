import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { projectRoot, readDoc } from './code-blocks.ts';

const link = /\[([^\]]+)\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g;

test('each line of the threat model names tests that are there', async () => {
  const page = await readDoc('docs/security.md');
  const lines = page.slice(page.indexOf('## Threat model')).split('\n');
  const rows = lines.filter((line) => line.startsWith('| ') && !/^\| (?:threat|---)/.test(line));
  expect(rows.length).toBeGreaterThan(30);
  for (const row of rows) {
    const named = [...row.matchAll(link)];
    expect([row, named.length]).not.toEqual([row, 0]);
    for (const [, title = '', file = ''] of named) {
      const source = await Bun.file(join(projectRoot, file)).text();
      expect([file, title, source.includes(`'${title}'`)]).toEqual([file, title, true]);
    }
  }
});
