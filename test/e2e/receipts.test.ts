import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from '@nats-io/transport-node';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

let stack: Stack;
const right = 'right-token-of-d1';
beforeAll(async () => {
  stack = await startStack({
    env: { TRIBUTARY_RECEIPT_KEY: Buffer.alloc(32, 3).toString('base64') },
    roles: { mqtt: 0 },
  });
  await stack.pool.query(`insert into tenants (tenant_id) values ('t1')`);
  await stack.pool.query(
    `insert into devices (tenant_id, device_id, site_id, token_sha256, revoked_at) values
      ('t1', 'd1', 's1', sha256($1), null), ('t1', 'gone', 's1', sha256($1), now()), ('t1', 'bare', 's1', null, null)`,
    [Buffer.from(right)],
  );
}, 60_000);
afterAll(() => stack[Symbol.asyncDispose]());

const good = { site_id: 's1', metrics: { temp: 1 } };
const post = (headers: Record<string, string> = {}, body: unknown = good, device = 'd1') =>
  fetch(`${stack.httpUrl}/ingest/v1/tenant/t1/device/${device}/telemetry`, {
    method: 'POST',
    headers: { 'X-Provision-Token': right, ...headers },
    body: JSON.stringify(body),
  });
const ask = async (location: string | null, token = right) => {
  const headers: Record<string, string> = token === '' ? {} : { 'X-Provision-Token': token };
  const answer = await fetch(stack.httpUrl + String(location), { headers });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const settled = (location: string | null, token = right) =>
  until(
    async () => {
      const told = await ask(location, token);
      return told.body.status !== 'queued' && told;
    },
    { what: 'the message is settled' },
  );

test('a 202 names a receipt, which tells that the message is stored, and when', async () => {
  const answer = await post();
  expect(answer.status).toBe(202);
  expect(await answer.text()).toBe('{"status":"accepted"}');
  const told = await settled(answer.headers.get('Location'));
  expect(told).toMatchObject({ status: 200, body: { status: 'stored', deliveries: [] } });
  const { rows } = await stack.pool.query(
    `select count(*)::int as n from telemetry where time = $1::timestamptz and device_id = 'd1'`,
    [told.body.time],
  );
  expect(rows).toEqual([{ n: 1 }]);
});

test('another token and a forged id are 404, no token is 401', async () => {
  const location = (await post()).headers.get('Location');
  expect((await ask(location, 'other')).status).toBe(404);
  expect((await ask('/ingest/v1/receipts/nonsense')).status).toBe(404);
  expect((await ask(location, '')).status).toBe(401);
});

test('unknown device, no token set, wrong token and revoked read alike, waited for or not', async () => {
  const tries = [
    await post({}, good, 'nobody'),
    await post({}, good, 'bare'),
    await post({}, good, 'gone'),
  ].map((answer) => settled(answer.headers.get('Location')));
  const wrong = await post({ 'X-Provision-Token': 'wrong' });
  tries.push(settled(wrong.headers.get('Location'), 'wrong'));
  const told = (await Promise.all(tries)).map(({ body: { arrived_at: _, ...rest } }) => JSON.stringify(rest));
  expect(new Set(told).size).toBe(1);
  expect(told[0]).toContain('NOT_AUTHORIZED');
  const waited = await Promise.all(
    ['nobody', 'bare', 'gone'].map(async (device) => {
      const answer = await post({ Prefer: 'wait=20' }, good, device);
      return `${answer.status} ${await answer.text()}`;
    }),
  );
  expect(new Set(waited).size).toBe(1);
  expect(waited[0]).toMatch(/^422 .*NOT_AUTHORIZED/);
});

test('Prefer: wait: 201 for a stored message, 422 with the reason for a refused one', async () => {
  const stored = await post({ Prefer: 'wait=20' });
  expect(stored.status).toBe(201);
  expect(stored.headers.get('Preference-Applied')).toBe('wait=20');
  expect(await stored.json()).toMatchObject({ status: 'stored' });
  expect((await ask(stored.headers.get('Location'))).body.status).toBe('stored');
  const refused = await post({ Prefer: 'wait=20' }, { site_id: 's1', metrics: 5 });
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ reason: 'METRICS_INVALID', status: 422 });
});

test('workers tell gateways of what is waited for, of nothing else, and no more than its sender may know', async () => {
  const nc = await connect({ servers: stack.nats.url });
  const notices: Record<string, unknown>[] = [];
  nc.subscribe('tributary.settled.>', { callback: (_, notice) => void notices.push(notice.json()) });
  await nc.flush();
  await post();
  await post({ Prefer: 'wait=20' });
  await post({ Prefer: 'wait=20' }, good, 'gone');
  await until(() => notices.length >= 2, { what: 'both notices came' });
  expect(notices).toMatchObject([
    { outcome: 'stored' },
    { outcome: 'quarantined', rejection: { reason: 'NOT_AUTHORIZED' } },
  ]);
  await nc.close();
});

test('a resend is told as duplicate with the first outcome, of JetStream’s window and after it', async () => {
  const first = await post({ Prefer: 'wait=20', 'Idempotency-Key': 'k1' });
  const { time } = (await first.json()) as { time: string };
  const again = await post({ Prefer: 'wait=20', 'Idempotency-Key': 'k1' });
  expect(again.status).toBe(200);
  expect(await again.json()).toEqual({ status: 'duplicate', first: { status: 'stored', time } });
  expect((await ask(again.headers.get('Location'))).body).toMatchObject({
    status: 'duplicate',
    first: { time },
  });
  // The same key with another body goes through JetStream and is refused by the worker.
  const other = await post({ Prefer: 'wait=20', 'Idempotency-Key': 'k1' }, { ...good, x: 1 });
  expect(await other.json()).toMatchObject({ status: 422, reason: 'IDENTITY_REUSED' });
});

test('what left the quarantine is told honestly', async () => {
  const answer = await post({ Prefer: 'wait=20' }, { site_id: 's1', metrics: 5 });
  const location = answer.headers.get('Location');
  expect((await ask(location)).body).toMatchObject({ status: 'quarantined', kept: true });
  expect(await stack.cliJson('receipt', String(location))).toMatchObject({
    status: 'quarantined',
    reason: 'METRICS_INVALID',
  });
  await stack.pool.query('delete from quarantine');
  expect((await ask(location)).body).toMatchObject({ status: 'quarantined', reason: null, kept: false });
});

test('a batch gives a receipt for each item, and waits for each', async () => {
  const item = { tenant_id: 't1', device_id: 'd1', provision_token: right, ...good };
  const answer = await fetch(`${stack.httpUrl}/ingest/v1/batch`, {
    method: 'POST',
    headers: { Prefer: 'wait=20' },
    body: JSON.stringify({ messages: [item, { ...item, metrics: 5 }, { ...item, device_id: '' }] }),
  });
  const { results } = (await answer.json()) as { results: Record<string, unknown>[] };
  expect(results).toMatchObject([
    { status: 'accepted', outcome: { status: 'stored' } },
    { status: 'accepted', outcome: { status: 'quarantined', reason: 'METRICS_INVALID' } },
    { status: 'rejected' },
  ]);
  expect((await ask(`/ingest/v1/receipts/${results[0]?.receipt}`)).body.status).toBe('stored');
});

test('without a worker: queued; a wait ends with 202 after its time; deliveries are listed', async () => {
  const before = await post({ Prefer: 'wait=20' });
  await stack.pool.query(
    `with r as (insert into routes (tenant_id, name, topic_filter, destination, enabled)
       values ('t1', 'r1', '#', '{"kind":"nats"}', false) returning route_id)
     insert into delivered_jobs (identity, route_id, attempts)
     select t.identity, r.route_id, 2 from r, (select identity from telemetry order by arrived_at desc limit 1) t`,
  );
  expect((await ask(before.headers.get('Location'))).body).toMatchObject({
    deliveries: [{ route: 'r1', status: 'delivered', attempts: 2 }],
  });
  await stack.role('worker').stop();
  const waited = await post({ Prefer: 'wait=1' });
  expect(waited.status).toBe(202);
  expect(waited.headers.get('Preference-Applied')).toBe('wait=1');
  expect((await ask(waited.headers.get('Location'))).body.status).toBe('queued');
  // A gateway that stops keeps nobody waiting.
  const held = post({ Prefer: 'wait=30' });
  await until(
    async () => (await (await fetch(`${stack.httpUrl}/metrics`)).text()).includes('_requests_in_flight 1'),
    { what: 'the request is held' },
  );
  const [answer] = await Promise.all([held, stack.role('gateway').stop()]);
  expect(answer.status).toBe(202);
});
