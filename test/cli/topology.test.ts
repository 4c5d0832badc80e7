import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startTestNats, type TestNats } from '../harness/nats.ts';
import { type CliResult, runTributary } from '../harness/role-process.ts';

let nats: TestNats;
beforeAll(async () => {
  nats = await startTestNats();
});
afterAll(() => nats[Symbol.asyncDispose]());

const cli = (...args: string[]): Promise<CliResult> =>
  runTributary(['topology', ...args], { NATS_URL: nats.url });

test('topology names what is missing, makes it, and says how it differs from the settings', async () => {
  const missing = await cli('--check');
  expect(missing.code).toBe(1);
  expect(missing.stdout).toMatch(/^TELEMETRY +stream +missing$/m);
  expect(missing.stderr).toContain('missing: tributary topology makes them.');

  const made = await cli();
  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/^ingest-workers +consumer of TELEMETRY +created$/m);

  const whole = await cli('--check', '--json');
  expect(whole.code).toBe(0);
  expect(JSON.parse(whole.stdout)).toMatchObject({
    streams: [{ name: 'TELEMETRY', state: 'ok', differences: [] }, {}],
  });

  const differs = await cli('--stream-max-bytes', '1048576');
  expect(differs.code).toBe(1);
  expect(differs.stdout).toContain('  TELEMETRY: max_bytes is 5368709120, wanted 68157440');
});
