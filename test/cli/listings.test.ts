import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { type CliResult, runTributary } from '../harness/role-process.ts';
import { runInProcess } from './in-process.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  await pool.query(`select ensure_telemetry_partition(t) from unnest(array[
    timestamptz '2026-01-31 12:00:00.123456Z', timestamptz '2025-01-31 12:00:00Z']) t`);
  await pool.query(
    `insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, seq, metrics, extra, arrived_at,
       stream_epoch, stream_seq)
     values ('2026-01-31 12:00:00.123456Z', gen_random_uuid(), 'acme', 'd1', 's1', 'telemetry', 9007199254740993,
         '{"temp": 22.50, "big": 12345678901234567890, "open": true, "note": "a\\nb"}', '{"fw": 1e400}', now(), 1, 1),
       ('2025-01-31 12:00:00Z', gen_random_uuid(), 'acme', 'd1', 's1', 'heartbeat', null, '{}', null, now(), 1, 2),
       ('2025-01-31 12:00:00Z', gen_random_uuid(), 'other', 'd2', 's2', 'telemetry', 1, '{"x": {"y": 1}}', null, now(), 1, 3)`,
  );
  await pool.query(
    `insert into sensors (tenant_id, device_id, metric, value_type, unit, discovered_at, latest, latest_time, latest_order)
     values ('acme', 'd1', 'temp', 'number', '°C', now(), '22.50', now() - interval '3 minutes', now()),
       ('other', 'd2', $1, 'string', null, now(), to_jsonb($2::text), now(), now())`,
    ['metric_'.repeat(10), 'v'.repeat(200)],
  );
  await pool.query(
    `insert into quarantine (reason, detail, tenant_id, device_id, msg_type, subject, arrived_at, envelope, identity,
       identity_kind, stream_epoch, stream_seq)
     values ('UNREGISTERED_DEVICE', 'tenant acme has no device ghost', 'acme', 'ghost', 'telemetry', 'telemetry.acme',
         now(), '{"payload":{"site_id":"s1"}}', gen_random_uuid(), 'fresh', 1, 4),
       ('BAD_ENVELOPE', $1, null, null, null, 'telemetry.x', now(), '\\xff00', gen_random_uuid(), 'fresh', 1, 5)`,
    [`not JSON: \u001b[31m${'x'.repeat(300)}`],
  );
});
afterAll(() => database[Symbol.asyncDispose]());

function cli(...args: string[]): Promise<CliResult> {
  return runTributary(args, { DATABASE_URL: database.url });
}

test('telemetry: newest first, numbers exactly as they were sent', async () => {
  const { stdout } = await cli('telemetry', '--tenant', 'acme', '--json');
  expect(stdout).toContain('"seq":9007199254740993,');
  expect(stdout).toContain('"big": 12345678901234567890');
  expect(stdout).toContain(`"fw": ${'1'.padEnd(401, '0')}`);
  const rows = JSON.parse(stdout) as { time: string; msg_type: string }[];
  expect(rows.map((row) => [row.time, row.msg_type])).toEqual([
    ['2026-01-31T12:00:00.123456Z', 'telemetry'],
    ['2025-01-31T12:00:00.000000Z', 'heartbeat'],
  ]);
});

test('telemetry: a table for people, control characters shown and not obeyed', async () => {
  const { stdout } = await cli('telemetry', '--tenant', 'acme');
  const [head, first, second] = stdout.split('\n');
  expect(head).toMatch(/^TIME \(UTC\) +DEVICE +SEQ {2}METRICS$/);
  expect(first).toStartWith('2026-01-31 12:00:00.123  d1      9007199254740993  ');
  expect(second).toEndWith('—  heartbeat');
  expect((await cli('telemetry')).stdout).toContain('{"x": {"y": 1}}');
});

test('telemetry: by device, since a moment and up to a limit', async () => {
  const count = async (...args: string[]) =>
    (JSON.parse((await cli('telemetry', '--json', ...args)).stdout) as unknown[]).length;
  expect(await count()).toBe(3);
  expect(await count('--device', 'd2')).toBe(1);
  expect(await count('--since', '2026-01-01')).toBe(1);
  expect(await count('--since', '36500d')).toBe(3);
  expect(await count('--limit', '2')).toBe(2);
  expect(await cli('telemetry', '--since', '2026-06-01')).toMatchObject({ code: 0, stdout: '' });
});

test('sensors: type, unit and latest value', async () => {
  const { stdout } = await cli('sensors', '--tenant', 'acme');
  expect(stdout).toMatch(/^d1 +temp +number +22\.50 +°C +[3-9] m( \d+ s)? ago$/m);
  expect((await cli('sensors', '--tenant', 'acme', '--json')).stdout).toContain('"latest":22.50,');
});

test('quarantine: listed by reason, shown with its envelope and what the reason means', async () => {
  const listed = JSON.parse(
    (await cli('quarantine', 'list', '--reason', 'unregistered-device', '--json')).stdout,
  ) as {
    quarantine_id: number;
  }[];
  expect(listed).toMatchObject([{ reason: 'UNREGISTERED_DEVICE', tenant_id: 'acme', device_id: 'ghost' }]);
  const shown = await cli('quarantine', 'show', String(listed[0]?.quarantine_id));
  expect(shown.stdout).toMatch(/^reason +UNREGISTERED_DEVICE: the tenant has no such device$/m);
  expect(shown.stdout).toMatch(/^envelope +\{"payload":\{"site_id":"s1"\}\}$/m);
  expect((await cli('quarantine', 'show', '4711')).stderr).toContain('nothing is quarantined under 4711');
});

test('quarantine: an envelope that is no text is shown in base64', async () => {
  const [bad] = JSON.parse(
    (await cli('quarantine', 'list', '--reason', 'BAD_ENVELOPE', '--json')).stdout,
  ) as {
    quarantine_id: number;
  }[];
  const id = String(bad?.quarantine_id);
  expect((await cli('quarantine', 'show', id)).stdout).toContain('not UTF-8, in base64: /wA=');
  expect(JSON.parse((await cli('quarantine', 'show', id, '--json')).stdout)).toMatchObject({
    envelope_base64: '/wA=',
  });
});

test('quarantine mend: says what a replay would make of it, and shows it beside what was sent', async () => {
  const env = { DATABASE_URL: database.url };
  const payload = '{"site_id":"s2","metrics":{"n":1.50}}';
  const said = await runInProcess(['quarantine', 'mend', '1', '--file', '-', '--by', 'ann', '--json'], env, {
    stdin: payload,
  });
  expect(JSON.parse(said.stdout)).toMatchObject({
    quarantine_id: 1,
    passes: false,
    reason: 'BAD_ENVELOPE',
  });
  const { stdout } = await runInProcess(['quarantine', 'show', '1'], env);
  expect(stdout).toMatch(/^envelope +\{"payload":\{"site_id":"s1"\}\}$/m);
  expect(stdout).toMatch(/^mended +20.+, by ann$/m);
  expect(stdout).toContain(payload);
  const failures = [
    [['1', '--payload', '{"provision_token":"x"}'], 'The payload holds a provision token'],
    [['2', '--payload', '{}'], 'The envelope of message 2 is no JSON object'],
    [['4711', '--payload', '{}'], 'nothing is quarantined under 4711'],
    [['1', '--file', '/nowhere.json'], 'the payload cannot be read from /nowhere.json'],
    [['1'], 'give the payload with --payload, or a file that holds it with --file'],
  ] as const;
  for (const [args, sentence] of failures)
    expect((await runInProcess(['quarantine', 'mend', ...args], env)).stderr).toContain(sentence);
});

test.each([[['telemetry']], [['sensors']], [['quarantine', 'list']]])('%p fits 80 columns', async (words) => {
  const { stdout } = await cli(...words);
  expect(stdout).not.toContain('\u001b');
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.filter((line) => Bun.stringWidth(line) > 80)).toEqual([]);
});
