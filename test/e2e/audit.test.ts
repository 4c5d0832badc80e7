import { expect, test } from 'bun:test';
import { takeAudit } from '../../src/audit/take-audit.ts';
import { createPool } from '../../src/store/pool.ts';
import { connectNats } from '../../src/stream/connection.ts';
import { streamName } from '../../src/stream/subjects.ts';
import { inParallel, insertDevices } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { silent } from '../stream/stream-fixture.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const roomy = { ratePerSecond: 1_000_000, burst: 10_000_000 };

/** What `audit --json` says, of numbers. */
interface Told {
  readonly accepted: number;
  readonly stored: number;
  readonly in_flight: number;
  readonly unaccounted: number;
}

async function told(stack: Stack): Promise<Told & { readonly code: number; readonly stderr: string }> {
  const { code, stdout, stderr } = await stack.cli('audit', '--json');
  return { ...(JSON.parse(stdout) as Told), code, stderr };
}

/** Posts batches of 100 messages; each that is refused again, until it is accepted. */
async function sendBatches(stack: Stack, batches: number, offset = 0): Promise<void> {
  const numbers = Array.from({ length: batches }, (_, index) => index);
  await inParallel(numbers, 4, async (batch) => {
    const messages = Array.from({ length: 100 }, (_, index) => {
      const seq = offset + batch * 100 + index;
      const { tenantId: tenant_id, deviceId: device_id, siteId: site_id, token: provision_token } = device;
      return { tenant_id, device_id, site_id, provision_token, ts: Date.now(), seq, metrics: { n: seq } };
    });
    const body = JSON.stringify({ messages });
    await until(
      async () => {
        const response = await fetch(`${stack.httpUrl}/ingest/v1/batch`, { method: 'POST', body });
        return ((await response.json()) as { accepted?: number }).accepted === 100;
      },
      { what: `batch ${batch} is accepted`, timeoutMs: 30_000 },
    );
  });
}

test('the audit is exact at 100 instants while 20,000 messages flow and workers are killed', async () => {
  await using stack = await startStack({
    roles: { gateway: 1, mqtt: 0, worker: 2 },
    env: { TRIBUTARY_ACK_WAIT_MS: '2000' },
  });
  await insertDevices(stack.pool, [device], roomy);
  await using cleanup = new AsyncDisposableStack();
  const pool = createPool({ databaseUrl: stack.databaseUrl, max: 2, name: 'test', log: silent });
  cleanup.defer(() => pool.end());
  const nc = await connectNats({ url: stack.nats.url, name: 'test', log: silent });
  cleanup.defer(() => nc.close());
  const audit = () => takeAudit({ nc, pool, stream: streamName });

  const sending = sendBatches(stack, 200);
  let inFlight = 0;
  for (let sample = 0; sample < 100; sample += 1) {
    const { epochs, total } = await audit();
    expect(total.unaccounted).toBe(0n);
    // The gaps themselves, and not only the difference of the sums.
    for (const { unaccountedSequences } of epochs) expect(unaccountedSequences).toBe('{}');
    if (total.inFlight > 0n) inFlight += 1;
    if (sample % 25 === 10) {
      const workers = stack.roles.filter(({ role }) => role === 'worker');
      await workers[workers.length - 1]?.kill();
      await stack.start('worker');
    }
  }
  await sending;
  expect(inFlight).toBeGreaterThan(10);
  const settled = await until(
    async () => {
      const { total } = await audit();
      expect(total.unaccounted).toBe(0n);
      return total.stored === 20_000n && total.inFlight === 0n && total;
    },
    { what: 'all messages have their outcome', timeoutMs: 30_000 },
  );
  const { accepted, internal, duplicates } = settled;
  expect(accepted).toBe(20_000n + internal + duplicates);
  const { rows } = await stack.pool.query('select count(*)::int as n from telemetry');
  expect(rows).toEqual([{ n: 20_000 }]);
}, 120_000);

test('a message that is deleted behind our back turns audit and status red until somebody acknowledges it', async () => {
  await using stack = await startStack({ roles: { gateway: 1, mqtt: 0, worker: 0 } });
  await insertDevices(stack.pool, [device], roomy);
  await sendBatches(stack, 1);
  const before = await told(stack);
  expect(before).toMatchObject({ code: 0, stored: 0, unaccounted: 0 });
  expect(before.in_flight).toBe(before.accepted);

  const nc = await connectNats({ url: stack.nats.url, name: 'test', log: silent });
  await nc.request(`$JS.API.STREAM.MSG.DELETE.${streamName}`, JSON.stringify({ seq: 50 }));
  await nc.close();
  await stack.start('worker');
  const red = await until(
    async () => {
      const now = await told(stack);
      return now.in_flight === 0 && now;
    },
    { what: 'all others are settled', timeoutMs: 30_000 },
  );
  expect(red).toMatchObject({ code: 1, unaccounted: 1 });
  expect(red.stderr).toMatch(
    /epoch 1: 1 accepted messages left .*\{\[50,51\)\}.*tributary audit acknowledge --epoch 1/s,
  );
  const status = await stack.cli('status');
  expect(status.code).toBe(1);
  expect(status.stdout).toMatch(/^Audit +RED: 1 unaccounted/m);

  // The worker that audits says it, too.
  await until(
    async () =>
      ((await stack.cli('status', '--json')).stdout.match(/"unacknowledged":(\d+)/)?.[1] ?? '0') === '1',
    { what: 'the periodic audit has seen it', timeoutMs: 30_000, everyMs: 500 },
  );

  const note = 'deleted by a test';
  expect(await stack.cliJson('audit', 'acknowledge', '--epoch', '1', '--note', note)).toMatchObject({
    epoch: 1,
    unaccounted: 1,
  });
  const { rows } = await stack.pool.query('select actor_kind, action, target, detail::text from audit_log');
  expect(rows).toEqual([
    {
      actor_kind: 'cli',
      action: 'audit.acknowledge',
      target: 'epoch 1',
      detail: '{"note": "deleted by a test", "unaccounted": 1}',
    },
  ]);
  const after = await stack.cli('audit');
  expect(after.code).toBe(0);
  expect(after.stdout).toContain(note);
  expect((await stack.cli('status')).code).toBe(0);
  expect((await stack.cli('audit', 'acknowledge', '--epoch', '1', '--note', 'again')).stderr).toContain(
    'Nothing to acknowledge',
  );
}, 120_000);
