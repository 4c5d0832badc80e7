import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLock } from '../../../src/roles/up/lock.ts';
import { processStart } from '../../../src/roles/up/process-info.ts';
import { tempFolder } from '../../harness/temp-folder.ts';

test('a lock that a running process holds is refused by name', () => {
  using temp = tempFolder('lock');
  const file = join(temp.path, 'lock');
  const lock = acquireLock(file);
  expect(() => acquireLock(file)).toThrow(
    `Tributary is running already on ${temp.path} (process ${process.pid}): stop it, or set TRIBUTARY_DATA_DIR to another folder.`,
  );
  lock.release();
  expect(readdirSync(temp.path)).toEqual([]);
});

test('a lock left by a process that is gone is taken over, and says from whom', async () => {
  using temp = tempFolder('lock');
  const file = join(temp.path, 'lock');
  const gone = Bun.spawn(['true']);
  await gone.exited;
  writeFileSync(file, JSON.stringify({ pid: gone.pid, start: 'some time' }));
  const lock = acquireLock(file);
  expect(lock.takenOverFrom).toBe(gone.pid);
  expect(readdirSync(temp.path)).toEqual(['lock']);
  lock.release();
});

test('a process that has got the same id since does not keep the lock', () => {
  using temp = tempFolder('lock');
  const file = join(temp.path, 'lock');
  // Our own id lives, but it did not start then.
  writeFileSync(file, JSON.stringify({ pid: process.pid, start: 'before the power cut' }));
  const lock = acquireLock(file);
  expect(lock.takenOverFrom).toBe(process.pid);
  expect(JSON.parse(readFileSync(file, 'utf8')).start).toBe(processStart(process.pid));
  lock.release();
});

test('a lock that a power cut left empty is taken over', () => {
  using temp = tempFolder('lock');
  const file = join(temp.path, 'lock');
  writeFileSync(file, '');
  acquireLock(file).release();
  expect(existsSync(file)).toBe(false);
});

test('of many that take over the same stale lock at once exactly one gets it', async () => {
  using temp = tempFolder('lock');
  const file = join(temp.path, 'lock');
  writeFileSync(file, '{"pid":1,"start":"never"}');
  const lockPath = join(import.meta.dir, '../../../src/roles/up/lock.ts');
  const script = `
    const { acquireLock } = await import(${JSON.stringify(lockPath)});
    try { acquireLock(${JSON.stringify(file)}); console.log('got it'); } catch { console.log('refused'); }
    process.stdin.resume();
  `;
  const contenders = Array.from({ length: 6 }, () =>
    Bun.spawn([process.execPath, '-e', script], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' }),
  );
  const answers = await Promise.all(
    contenders.map(async ({ stdout }) => {
      const { value } = await stdout.getReader().read();
      return new TextDecoder().decode(value).trim();
    }),
  );
  for (const contender of contenders) contender.kill();
  await Promise.all(contenders.map(({ exited }) => exited));
  expect(answers.sort()).toEqual(['got it', 'refused', 'refused', 'refused', 'refused', 'refused']);
});
