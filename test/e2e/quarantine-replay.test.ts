import { afterAll, beforeAll, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { connectNats } from '../../src/stream/connection.ts';
import { runTributary } from '../harness/role-process.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { silentLog } from '../store/with-database.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ env: { TRIBUTARY_RECEIPT_KEY: Buffer.alloc(32, 5).toString('base64') } });
  await stack.cli('tenant', 'add', 'acme');
}, 60_000);
afterAll(() => stack[Symbol.asyncDispose]());

const token = 'trb_of-a-device-that-nobody-registered';
const count = async (sql: string) => Number((await stack.pool.query<{ n: bigint }>(sql)).rows[0]?.n);
const held = (device: string) => count(`select count(*) as n from quarantine where device_id = '${device}'`);
const stored = (device: string) => count(`select count(*) as n from telemetry where device_id = '${device}'`);

/** Over the batch door, a hundred at a time; waits until all are quarantined. */
async function send(device: string, messages: number, more: object = {}): Promise<void> {
  for (let from = 0; from < messages; from += 100) {
    const batch = Array.from({ length: Math.min(100, messages - from) }, (_, index) => ({
      tenant_id: 'acme',
      device_id: device,
      provision_token: token,
      site_id: 's1',
      metrics: { n: from + index },
      ...more,
    }));
    const answer = await fetch(`${stack.httpUrl}/ingest/v1/batch`, {
      method: 'POST',
      body: JSON.stringify({ messages: batch }),
    });
    expect(await answer.json()).toMatchObject({ accepted: batch.length });
  }
  await until(async () => (await held(device)) === messages, { what: `${messages} quarantined` });
}

const register = (device: string) =>
  stack.cliJson('device', 'add', 'acme', device, '--site', 's1', '--token', token);

test('what a device sent before it was registered is stored afterwards, and taps see it', async () => {
  await send('late', 20);
  await register('late');
  const where = ['--tenant', 'acme', '--device', 'late', '--reason', 'unregistered-device'];
  expect(await stack.cliJson('quarantine', 'replay', ...where, '--dry-run')).toMatchObject({
    dry_run: true,
    messages: 20,
    tokens: { match: 20, current: 20, earlier: 0, mismatch: 0, none: 0 },
    would: { stored: 20, duplicates: 0, refused: 0 },
  });
  const dry = await stack.cli('quarantine', 'replay', ...where, '--dry-run');
  expect(dry.stdout).toMatch(/^token +20 match\n +0 mismatch\n +0 none\nwould be +20 stored$/m);
  const nc = await connectNats({ url: stack.nats.url, name: 'tap', log: silentLog });
  const seen: unknown[] = [];
  nc.subscribe('readings.acme.late', { callback: (_, message) => void seen.push(message.json()) });
  await nc.flush();
  try {
    const { code, stdout } = await stack.cli('quarantine', 'replay', ...where);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^stored +20$/m)]);
    await until(() => seen.length === 20, { what: 'the tap saw all' });
  } finally {
    await nc.close();
  }
  expect([await held('late'), await stored('late')]).toEqual([0, 20]);
  expect((await stack.cli('quarantine', 'replay', ...where)).stderr).toContain('Nothing in the quarantine');
});

test('a replay that is killed at any moment loses and doubles nothing, and the next one goes on', async () => {
  await send('killed', 3_000);
  await register('killed');
  let interrupted = 0;
  for (const notBefore of [1, 600, 1_200]) {
    const child = Bun.spawn(
      [
        process.execPath,
        resolve(import.meta.dir, '../../src/cli/main.ts'),
        ...['quarantine', 'replay', '--device', 'killed'],
      ],
      { env: { PATH: process.env.PATH ?? '', ...stack.env }, stdout: 'ignore', stderr: 'ignore' },
    );
    await until(async () => (await stored('killed')) >= notBefore, { what: `${notBefore} stored` });
    child.kill('SIGKILL');
    await child.exited;
    // Both counts in one look: what was under way may still commit.
    const { rows } = await stack.pool.query<{ sum: bigint }>(
      `select (select count(*) from quarantine where device_id = 'killed')
         + (select count(*) from telemetry where device_id = 'killed') as sum`,
    );
    expect(Number(rows[0]?.sum)).toBe(3_000);
    if ((await held('killed')) > 0) interrupted += 1;
  }
  expect(interrupted).toBeGreaterThan(0);
  expect(await stack.cliJson('quarantine', 'replay', '--all')).toMatchObject({
    duplicates: 0,
    refused: 0,
    complete: true,
  });
  expect([await held('killed'), await stored('killed')]).toEqual([0, 3_000]);
  expect(await count('select sum(stored) as n from ledger')).toBe(
    await count('select count(*) as n from telemetry'),
  );
  expect(await count('select sum(quarantined) as n from ledger')).toBe(0);
  expect(await stack.cli('audit')).toMatchObject({ code: 0 });
});

test('vouching wants a reason, and notes it with who it was', async () => {
  await send('vouched', 2, { provision_token: 'typed wrong' });
  await register('vouched');
  const replay = ['quarantine', 'replay', '--device', 'vouched'];
  expect(await stack.cliJson(...replay)).toMatchObject({
    stored: 0,
    reasons: { TOKEN_INVALID: 2 },
  });
  expect(await stack.cli(...replay, '--vouch', ' ')).toMatchObject({ code: 2 });
  const done = await stack.cliJson(...replay, '--vouch', 'ticket 17', '--by', 'ann');
  expect(done).toMatchObject({ stored: 2, refused: 0 });
  const { rows } = await stack.pool.query(
    `select operator, vouched_because, filter, (select count(*)::int from vouched_messages v
       where v.replay_id = r.replay_id) as messages from replays r where vouched_because is not null`,
  );
  expect(rows).toMatchObject([{ operator: 'ann', vouched_because: 'ticket 17', messages: 2 }]);
});

test('a message is mended and stored: its receipt says so, and the audit stays exact', async () => {
  await register('mended');
  const headers = { 'X-Provision-Token': token };
  const url = `${stack.httpUrl}/ingest/v1/tenant/acme/device/mended/telemetry`;
  const body = JSON.stringify({ site_id: 's1', metrics: { n: 1 }, ts: 'yesterday', seq: 1 });
  const { headers: answered } = await fetch(url, { method: 'POST', headers, body });
  await until(async () => (await held('mended')) === 1, { what: 'the message is quarantined' });
  const { rows } = await stack.pool.query<{ id: string }>(
    `select quarantine_id::text as id from quarantine where device_id = 'mended'`,
  );
  const id = rows[0]?.id ?? '';
  const time = new Date(Date.now() - 3_600_000).toISOString();
  const payload = JSON.stringify({ site_id: 's1', metrics: { n: 1 }, ts: time, seq: 1 });
  expect(await stack.cliJson('quarantine', 'mend', id, '--payload', payload)).toMatchObject({ passes: true });
  expect(await stack.cliJson('quarantine', 'replay', '--id', id)).toMatchObject({ stored: 1, refused: 0 });
  const receipt = await fetch(new URL(String(answered.get('Location')), stack.httpUrl), { headers });
  expect(await receipt.json()).toMatchObject({ status: 'stored', time: time.replace('Z', '000Z') });
  expect(await stack.cli('audit')).toMatchObject({ code: 0 });
});

test('by number, one or many; nothing said is refused; a purge; counters', async () => {
  await send('numbered', 5);
  const { rows } = await stack.pool.query<{ id: string }>(
    `select quarantine_id::text as id from quarantine where device_id = 'numbered' order by 1`,
  );
  const ids = rows.map(({ id }) => id);
  await register('numbered');
  const [a = '', b = '', c = '', d = ''] = ids;
  expect(await stack.cliJson('quarantine', 'replay', '--id', a, b, '--id', `${c},${d}`)).toMatchObject({
    stored: 4,
  });
  for (const command of ['replay', 'purge'])
    expect(await stack.cli('quarantine', command)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('say which messages'),
    });
  const purge = ['quarantine', 'purge', '--device', 'numbered', '--reason', 'UNREGISTERED_DEVICE'];
  expect((await stack.cli(...purge, '--dry-run')).stdout).toBe('1 messages would be deleted. Nothing was.\n');
  expect(await stack.cliJson(...purge)).toMatchObject({ messages: 1, purged: 1 });
  const stats = await stack.cli('quarantine', 'stats', '--tenant', 'acme');
  expect(stats.stdout).toMatch(/^acme +UNREGISTERED_DEVICE +0 +0 B +3,\d{3} +0 +3,\d{3} +1$/m);
});

test('without NATS it stores all the same', async () => {
  await send('no-nats', 1);
  await register('no-nats');
  const env = { ...stack.env, NATS_URL: 'nats://127.0.0.1:1' };
  const { code, stderr } = await runTributary(['quarantine', 'replay', '--device', 'no-nats'], env);
  expect([code, stderr]).toEqual([0, expect.stringContaining('NATS cannot be reached')]);
  expect(await stored('no-nats')).toBe(1);
});
