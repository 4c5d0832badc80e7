import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { sealRouteSecrets } from '../../src/model/route-secrets.ts';
import { ok, type Received, startReceiver, status } from '../delivery/receiver.ts';
import { newSigningSecret } from '../delivery/world.ts';
import { insertDevices } from '../harness/fleet.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** What a receiver sees of order and duplicates; the jobs' order is that of `metrics.n`. */
function reportOf(received: readonly Pick<Received, 'id' | 'text'>[]) {
  const times = new Map<string, number>();
  let newest = -1;
  let late = 0;
  let mostLate = 0;
  for (const { id, text } of received) {
    const before = times.get(id) ?? 0;
    times.set(id, before + 1);
    if (before > 0) continue;
    const n = Number(/"n":(\d+)/.exec(text)?.[1]);
    if (n < newest) {
      late += 1;
      mostLate = Math.max(mostLate, (newest - n) / matchEvery);
    }
    newest = Math.max(newest, n);
  }
  const duplicates = [...times.values()].reduce((sum, count) => sum + count - 1, 0);
  return { requests: received.length, jobs: times.size, duplicates, late, mostLate };
}

test('order and duplicates are counted right', () => {
  const got = [0, 6, 3, 3, 9, 0, 12].map((n) => ({ id: `r1.${n}`, text: `{"n":${n},"temp":1}` }));
  expect(reportOf(got)).toEqual({ requests: 7, jobs: 5, duplicates: 2, late: 1, mostLate: 1 });
});

const messages = 10_000;
const matchEvery = 3;
const perBatch = 100;

test('of 10,000 messages every one that matches arrives, signed and under one id, and none that does not', async () => {
  const key = randomBytes(32);
  const env = {
    TRIBUTARY_SECRETS_KEY: key.toString('base64'),
    TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8',
    TRIBUTARY_DEVICE_RATE: '1000000',
    TRIBUTARY_DEVICE_BURST: '1000000',
    TRIBUTARY_TENANT_RATE: '1000000',
    TRIBUTARY_TENANT_BURST: '1000000',
  };
  await using stack = await startStack({ roles: { mqtt: 0, delivery: 1 }, env });
  await insertDevices(stack.pool, [{ tenantId: 't1', deviceId: 'd1', siteId: 's1', token: 'secret' }]);
  // One request in ten fails the first time.
  const seen = new Set<string>();
  using hook = startReceiver(({ id }) => {
    const isFirst = !seen.has(id);
    seen.add(id);
    return isFirst && seen.size % 10 === 0 ? status(503) : ok();
  });
  const secret = newSigningSecret();
  await stack.pool.query(
    `insert into routes (tenant_id, name, topic_filter, condition, destination, secrets, rate_per_second, burst)
     values ('t1', 'hot', 'tenant/t1/device/+/telemetry', 'metrics.temp > 30.0', $1, $2, 1000000, 1000000)`,
    [
      JSON.stringify({ kind: 'webhook', url: hook.url }),
      sealRouteSecrets({ signing_secrets: [secret] }, key, 't1', 'hot'),
    ],
  );
  const isHot = (n: number) => n % matchEvery === 0;
  for (let at = 0; at < messages; at += perBatch) {
    const batch = Array.from({ length: perBatch }, (_, index) => ({
      tenant_id: 't1',
      device_id: 'd1',
      provision_token: 'secret',
      site_id: 's1',
      metrics: { n: at + index, temp: isHot(at + index) ? 30.5 : 29.5 },
    }));
    const response = await fetch(`${stack.httpUrl}/ingest/v1/batch`, {
      method: 'POST',
      body: JSON.stringify({ messages: batch }),
    });
    expect(response.status).toBe(200);
  }
  const wanted = Array.from({ length: messages }, (_, n) => n).filter(isHot);
  const delivered = async () => {
    const { rows } = await stack.pool.query('select coalesce(sum(delivered), 0)::int as n from route_totals');
    return Number(rows[0].n);
  };
  await until(async () => (await delivered()) >= wanted.length, {
    what: 'all are delivered',
    timeoutMs: 50_000,
  });

  const ids = new Map<number, Set<string>>();
  const webhook = new Webhook(secret);
  for (const { text, headers, id } of hook.received) {
    const { data } = webhook.verify(text, headers) as { data: { metrics: { n: number } } };
    const { n } = data.metrics;
    ids.set(n, (ids.get(n) ?? new Set()).add(id));
  }
  expect([...ids.keys()].sort((a, b) => a - b)).toEqual(wanted);
  expect([...ids.values()].filter(({ size }) => size !== 1)).toEqual([]);
  expect(new Set(hook.received.map(({ id }) => id)).size).toBe(wanted.length);
  const totals = async () => {
    const { rows } = await stack.pool.query(
      `select sum(matched)::int as matched, sum(delivered)::int as delivered, sum(retried)::int as retried,
              sum(dead)::int as dead, (select count(*)::int from route_schedule) as waiting from route_totals`,
    );
    return rows[0];
  };
  await until(async () => (await totals()).matched === wanted.length, { what: 'all matches are counted' });
  const { retried, ...counts } = await totals();
  expect(counts).toEqual({ matched: wanted.length, delivered: wanted.length, dead: 0, waiting: 0 });
  expect(hook.received.length).toBe(wanted.length + retried);

  const order = reportOf(hook.received);
  // Nothing is killed here: a job comes again only because it was answered 503.
  expect(order).toMatchObject({
    requests: wanted.length + retried,
    jobs: wanted.length,
    duplicates: retried,
  });
  expect(retried).toBeGreaterThan(0);
  console.log(
    `      10,000 messages: ${order.jobs} jobs in ${order.requests} requests; ${order.duplicates} came again, ` +
      `${order.late} came after a newer one, by ${order.mostLate} jobs at most`,
  );
}, 90_000);
