import { afterAll, beforeAll, expect, test } from 'bun:test';
import { getPriority } from 'node:os';
import { createTestDatabase } from '../harness/postgres.ts';
import { type RoleName, runTributary, startRole } from '../harness/role-process.ts';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ roles: { console: 1 } });
}, 60_000);
afterAll(() => stack[Symbol.asyncDispose]());

test.each(['gateway', 'mqtt', 'worker', 'delivery', 'console'] as const)(
  'SIGTERM drains the %s, exit code 0',
  async (name) => {
    const role = await stack.start(name);
    expect(await role.stop()).toBe(0);
    expect(role.log()).not.toContain('error:');
  },
);

test('workers and deliveries stand back for the doors, as far as is set', async () => {
  const nicenessOf = async (name: RoleName, env: Record<string, string> = {}) => {
    const role = await startRole(name, { ...stack.env, ...env });
    const niceness = getPriority(role.pid);
    await role.stop();
    return niceness;
  };
  const own = getPriority();
  expect(await nicenessOf('gateway')).toBe(own);
  for (const name of ['worker', 'delivery'] as const) expect(await nicenessOf(name)).toBe(Math.max(own, 5));
  expect(await nicenessOf('worker', { TRIBUTARY_NICENESS: '0' })).toBe(own);
});

test.each(['gateway', 'mqtt', 'worker', 'delivery', 'console'])(
  'the %s with a wrong setting ends with 78 and a sentence',
  async (name) => {
    const { code, stderr } = await runTributary([name], { ...stack.env, TRIBUTARY_MAX_IN_FLIGHT: 'many' });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^error: TRIBUTARY_MAX_IN_FLIGHT="many" .*\n$/);
  },
);

test.each([
  ['gateway', 'TRIBUTARY_HTTP_PORT'],
  ['mqtt', 'TRIBUTARY_MQTT_PORT'],
  ['console', 'TRIBUTARY_CONSOLE_PORT'],
] as const)('the %s on a port that is taken ends with a sentence', async (name, variable) => {
  const port = String(stack.role(name).port);
  const { code, stderr } = await runTributary([name], { ...stack.env, [variable]: port });
  expect(code).toBe(1);
  expect(stderr).toContain(port);
  expect(stderr).toContain(variable);
  expect(stderr).not.toContain('    at ');
});

test('a worker whose database was not migrated says so and ends', async () => {
  await using database = await createTestDatabase({ migrated: false });
  const { code, stderr } = await runTributary(['worker'], { ...stack.env, DATABASE_URL: database.url });
  expect(code).toBe(1);
  expect(stderr).toContain('run `tributary migrate` and start again');
  expect(stderr).not.toContain('    at ');
});
