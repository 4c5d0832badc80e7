import { afterAll, expect, test } from 'bun:test';
import packageJson from '../../package.json' with { type: 'json' };
import { runTributary } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';

const folder = tempFolder('cli');
afterAll(() => folder.remove());

// An empty data folder: whatever runs on this machine is not found.
const nowhere = { TRIBUTARY_DATA_DIR: folder.path };

test('without a command the help is shown and the exit code is 2', async () => {
  const { code, stdout } = await runTributary([], nowhere);
  expect(code).toBe(2);
  expect(stdout).toContain('Usage: tributary [options] [command]');
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

test('--help and --version succeed', async () => {
  expect((await runTributary(['--help'], nowhere)).code).toBe(0);
  expect((await runTributary(['device', 'add', '--help'], nowhere)).code).toBe(0);
  expect(await runTributary(['--version'], nowhere)).toEqual({
    code: 0,
    stdout: `${packageJson.version}\n`,
    stderr: '',
  });
});

test.each([
  [['telemetri'], "error: unknown command 'telemetri'\n(Did you mean telemetry?)"],
  [
    ['device', 'add', 'acme', 'd1'],
    "error: required option '--site <site_id>' not specified\ntributary device add --help shows how it is used.",
  ],
  [['device', 'ad'], 'tributary device --help shows how it is used.'],
  [['--loud'], 'tributary --help shows how it is used.'],
  [['device', 'add', 'a b', 'd1', '--site', 's'], 'A tenant_id is 1 to 64 of A-Z a-z 0-9 _ -'],
  [['telemetry', '--limit', '0'], 'Give a whole number from 1 to 100000.'],
  [['telemetry', '--since', 'yesterday'], 'give a time like 2026-01-31T12:00:00Z, or how long ago: 15m'],
  [['quarantine', 'list', '--reason', 'BAD_LUCK'], 'There is no such reason. The reasons are BAD_ENVELOPE,'],
  [['tenant', 'list', 'acme'], 'error: too many arguments'],
  [['tenant', 'list', '--jsn'], "error: unknown option '--jsn'"],
] as const)('%p is a usage error that says what is wrong, exit code 2', async (args, sentence) => {
  const { code, stdout, stderr } = await runTributary(args, nowhere);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(sentence);
});

test('without a running instance the sentence names the folder and the ways out, exit code 69', async () => {
  const { code, stdout, stderr } = await runTributary(['tenant', 'list'], nowhere);
  expect({ code, stdout, stderr }).toEqual({
    code: 69,
    stdout: '',
    stderr: `error: no running instance found in ${folder.path}: run npm start, or set DATABASE_URL and NATS_URL.\n`,
  });
});

test('an unreachable PostgreSQL is named without its password, exit code 69', async () => {
  const env = { ...nowhere, DATABASE_URL: 'postgres://admin:hunter2@127.0.0.1:1/fleet' };
  const { code, stderr } = await runTributary(['tenant', 'list'], env);
  expect(code).toBe(69);
  expect(stderr).toContain(
    'cannot use PostgreSQL at 127.0.0.1:1/fleet (from DATABASE_URL): nothing listens there.',
  );
  expect(stderr).not.toContain('hunter2');
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('an unreachable NATS is named without its password, exit code 69', async () => {
  const env = { ...nowhere, NATS_URL: 'nats://admin:hunter2@127.0.0.1:1' };
  const { code, stderr } = await runTributary(['topology'], env);
  expect(code).toBe(69);
  expect(stderr).toContain('Cannot reach NATS at 127.0.0.1:1');
  expect(stderr).not.toContain('hunter2');
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test.each([
  ['an unknown TRIBUTARY_ variable', { TRIBUTARY_HTP_PORT: '80' }, 'TRIBUTARY_HTP_PORT: no such setting.'],
  ['a value out of bounds', { TRIBUTARY_WORKERS: '-1' }, 'TRIBUTARY_WORKERS="-1" must be >= 0'],
  ['a choice that is none', { TRIBUTARY_LOG_LEVEL: 'loud' }, 'TRIBUTARY_LOG_LEVEL="loud" is not allowed.'],
  [
    'a count that is a word',
    { TRIBUTARY_WORKERS: 'two' },
    'TRIBUTARY_WORKERS="two" must be a whole number. ',
  ],
  ['a DATABASE_URL that is none', { DATABASE_URL: 'fleet:hunter2' }, 'DATABASE_URL is not an address like'],
])('%s is a sentence, exit code 78', async (_what, env, sentence) => {
  const { code, stderr } = await runTributary(['tenant', 'list'], { ...nowhere, ...env });
  expect(code).toBe(78);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain('hunter2');
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test('all wrong settings are named at once, a line each', async () => {
  const env = { ...nowhere, TRIBUTARY_WORKERS: 'two', TRIBUTARY_HTP_PORT: '80', TRIBUTARY_LOG_LEVEL: 'loud' };
  const { code, stderr } = await runTributary(['gateway', '--http-port', '99999'], env);
  expect(code).toBe(78);
  const lines = stderr.trim().split('\n');
  expect(lines.map((line) => line.replace(/^error: /, '').split(/[=:]/)[0]).toSorted()).toEqual([
    '--http-port',
    'TRIBUTARY_HTP_PORT',
    'TRIBUTARY_LOG_LEVEL',
    'TRIBUTARY_WORKERS',
  ]);
});

test('a flag wins over the variable', async () => {
  const env = { ...nowhere, DATABASE_URL: 'postgres://127.0.0.1:1/variable' };
  const { stderr } = await runTributary(
    ['tenant', 'list', '--database-url', 'postgres://127.0.0.1:1/flag'],
    env,
  );
  expect(stderr).toContain('127.0.0.1:1/flag');
});

test('the stack is shown only at the log level debug', async () => {
  const env = { ...nowhere, DATABASE_URL: 'postgres://127.0.0.1:1/x' };
  expect((await runTributary(['tenant', 'list'], env)).stderr).not.toContain('    at ');
  const debug = await runTributary(['tenant', 'list'], { ...env, TRIBUTARY_LOG_LEVEL: 'debug' });
  expect(debug.stderr).toContain('    at ');
});
