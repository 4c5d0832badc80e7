import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { lastWords, startRole } from '../../../src/roles/up/role-processes.ts';
import { type SupervisorOptions, startSupervisor } from '../../../src/roles/up/supervisor.ts';
import { tempFolder } from '../../harness/temp-folder.ts';
import { until } from '../../harness/until.ts';

function shell(script: string, folder: string, notes: string[]): SupervisorOptions & { fatal: string[] } {
  const fatal: string[] = [];
  const logFile = join(folder, 'child.log');
  return {
    name: 'child',
    logFile,
    note: (line) => notes.push(line),
    onFatal: (error) => fatal.push(error.message),
    start: async () => startRole({ command: ['/bin/sh', '-c', script], environment: {}, logFile }),
    fatal,
  };
}

test('a child that is killed runs again under another process id, and a line says so', async () => {
  using temp = tempFolder('supervisor');
  const notes: string[] = [];
  const supervisor = await startSupervisor(shell('exec sleep 600', temp.path, notes));
  const first = supervisor.pid() ?? 0;
  process.kill(first, 'SIGKILL');
  await until(() => supervisor.pid() !== undefined && supervisor.pid() !== first, { what: 'a new process' });
  expect(notes).toEqual([
    `child was ended by SIGKILL; starting it again in 0.25 s (log: ${temp.path}/child.log)`,
    'child runs again',
  ]);
  await supervisor.stop();
});

test('a child that keeps ending is started less and less often', async () => {
  using temp = tempFolder('supervisor');
  const notes: string[] = [];
  const options = shell('echo "no luck" >&2; exit 3', temp.path, notes);
  const supervisor = await startSupervisor({ ...options, lastWords: () => lastWords(options.logFile) });
  const delays = () =>
    notes.flatMap((line) => /exit code 3: no luck; starting it again in ([\d.]+) s/.exec(line)?.[1] ?? []);
  await until(() => delays().length >= 3, { what: 'three restarts' });
  await supervisor.stop();
  expect(delays().slice(0, 3)).toEqual(['0.25', '0.5', '1']);
});

test('a child whose settings are wrong is not started again', async () => {
  using temp = tempFolder('supervisor');
  const notes: string[] = [];
  const options = shell('echo "error: TRIBUTARY_X=1 is not allowed" >&2; exit 78', temp.path, notes);
  await startSupervisor({ ...options, lastWords: () => 'TRIBUTARY_X=1 is not allowed' });
  await until(() => options.fatal.length > 0, { what: 'the fatal end' });
  expect(options.fatal).toEqual(['child cannot run with these settings: TRIBUTARY_X=1 is not allowed']);
  expect(notes).toEqual([]);
});

test('a stop during the wait for a restart starts nothing', async () => {
  using temp = tempFolder('supervisor');
  const notes: string[] = [];
  const supervisor = await startSupervisor(shell('exit 1', temp.path, notes));
  await until(() => notes.length > 0, { what: 'the wait' });
  await supervisor.stop();
  expect(supervisor.pid()).toBeUndefined();
  expect(notes).not.toContain('child runs again');
});

test('a child that ignores the request to stop is killed at once when there is hurry', async () => {
  using temp = tempFolder('supervisor');
  const notes: string[] = [];
  const options = shell("trap '' TERM; echo up; while :; do sleep 0.05; done", temp.path, notes);
  const supervisor = await startSupervisor(options);
  await until(async () => (await Bun.file(options.logFile).text()) !== '', { what: 'the trap is set' });
  const orderly = supervisor.stop();
  await supervisor.kill();
  await orderly;
  expect(supervisor.pid()).toBeUndefined();
});
