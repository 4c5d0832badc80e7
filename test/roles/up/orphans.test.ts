import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createChildLedger, stopOrphans } from '../../../src/roles/up/child-list.ts';
import { processStart } from '../../../src/roles/up/process-info.ts';
import { tempFolder } from '../../harness/temp-folder.ts';

function spawnSleeper() {
  return Bun.spawn(['sleep', '600'], { stdio: ['ignore', 'ignore', 'ignore'] });
}

test('what a killed run left running is stopped, and only that', async () => {
  using temp = tempFolder('orphans');
  const file = join(temp.path, 'children.json');
  const orphan = spawnSleeper();
  const stopped = spawnSleeper();
  const ledger = createChildLedger(file);
  ledger.add('gateway', orphan.pid);
  ledger.add('worker', stopped.pid);
  stopped.kill();
  await stopped.exited;
  ledger.remove(stopped.pid);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([
    { name: 'gateway', pid: orphan.pid, start: processStart(orphan.pid) },
  ]);
  expect(await stopOrphans(file)).toEqual(['gateway']);
  await orphan.exited;
  expect(orphan.signalCode).toBe('SIGTERM');
});

test('a stranger with the id of a former child is left alone', async () => {
  using temp = tempFolder('orphans');
  const file = join(temp.path, 'children.json');
  const stranger = spawnSleeper();
  createChildLedger(file).add('gateway', stranger.pid);
  const noted = readFileSync(file, 'utf8').replace(/"start":"[^"]*"/, '"start":"long ago"');
  writeFileSync(file, noted);
  expect(await stopOrphans(file)).toEqual([]);
  expect(processStart(stranger.pid)).toBeDefined();
  stranger.kill();
  await stranger.exited;
});

test('a list that was damaged names nobody', async () => {
  using temp = tempFolder('orphans');
  const file = join(temp.path, 'children.json');
  writeFileSync(file, '[{"pid":');
  expect(await stopOrphans(file)).toEqual([]);
  expect(await stopOrphans(`${file}.missing`)).toEqual([]);
});
