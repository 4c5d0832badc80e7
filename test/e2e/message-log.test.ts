import { expect, test } from 'bun:test';
import { headers } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { insertDevices } from '../harness/fleet.ts';
import type { RoleProcess } from '../harness/role-process.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token-of-d1' };
const wrongToken = 'secret-token-of-nobody';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-00`;

const aHash = expect.stringMatching(/^[0-9a-f]{32}$/);

type Line = Readonly<Record<string, unknown>>;

/** Waits for the line of an event. */
function lineOf(role: RoleProcess, event: string): Promise<Line> {
  return until(
    () => {
      const line = role
        .log()
        .split('\n')
        .find((each) => each.includes(`"event":"${event}"`));
      return line === undefined ? undefined : (JSON.parse(line) as Line);
    },
    { what: `${role.role} logs ${event}` },
  );
}

test('what is refused, quarantined or comes again has a line that says which message it was, and never its token', async () => {
  // The address of a collector makes contexts travel; nobody needs to be there.
  await using stack = await startStack({
    roles: { mqtt: 0, worker: 1 },
    env: { TRIBUTARY_SYNC_AUTH: '1', TRIBUTARY_OTLP_URL: 'http://127.0.0.1:1' },
  });
  await insertDevices(stack.pool, [device], { ratePerSecond: 100_000, burst: 1_000_000 });
  const [gateway, worker] = [stack.role('gateway'), stack.role('worker')];
  const body = { site_id: 's1', metrics: { n: 1 } };
  const send = (token: string, headersOf: Record<string, string> = {}, deviceId = 'd1') =>
    fetch(`${stack.httpUrl}/ingest/v1/tenant/acme/device/${deviceId}/telemetry`, {
      method: 'POST',
      headers: { 'X-Provision-Token': token, traceparent, ...headersOf },
      body: JSON.stringify(body),
    });

  await until(async () => (await send(device.token, { 'Idempotency-Key': 'k1' })).status === 202, {
    what: 'the gateway knows the device',
  });
  expect((await send(device.token, { 'Idempotency-Key': 'k1' })).status).toBe(202);
  const again = await lineOf(gateway, 'message_duplicate');
  const about = { tenantId: 'acme', deviceId: 'd1', traceId };
  expect(again).toMatchObject({ ...about, source: 'http' });
  expect([typeof again.seq, again.identity]).toEqual(['number', aHash]);

  expect((await send(wrongToken)).status).toBe(401);
  expect(await lineOf(gateway, 'message_refused')).toMatchObject({ ...about, refusal: 'token_refused' });

  // Past the doors, as a rule of another broker would.
  const nc = await connect({ servers: stack.nats.url });
  const withContext = headers();
  withContext.set('traceparent', traceparent);
  const publish = (token: string) => {
    const payload = { ...body, ts: '2026-11-01T00:00:00Z', seq: 5, provision_token: token };
    const topic = 'tenant/acme/device/d1/telemetry';
    const envelope = { topic, tenant_id: 'acme', device_id: 'd1', msg_type: 'telemetry', payload };
    return nc.request('telemetry.acme', JSON.stringify(envelope), { headers: withContext, timeout: 5_000 });
  };
  for (const token of [device.token, device.token, wrongToken]) await publish(token);
  await nc.close();
  const settledAgain = await lineOf(worker, 'message_duplicate');
  expect(settledAgain).toMatchObject({ ...about, deliveryCount: 1 });
  expect(settledAgain.identity).toEqual(aHash);
  expect(settledAgain.identity).not.toBe(again.identity);
  const quarantined = await lineOf(worker, 'message_quarantined');
  expect(quarantined).toMatchObject({ ...about, reason: 'TOKEN_INVALID' });
  expect(quarantined.identity).toEqual(aHash);
  expect(Number(quarantined.seq)).toBe(Number(settledAgain.seq) + 1);

  // A device that takes its token for its name.
  expect((await send('secret-token-as-a-name', {}, 'secret-token-as-a-name')).status).toBe(401);
  const refusals = () =>
    gateway
      .log()
      .split('\n')
      .filter((line) => line.includes('"event":"message_refused"'));
  await until(() => refusals().some((line) => !line.includes('"deviceId"')), { what: 'it is refused' });
  expect(gateway.log() + worker.log()).not.toContain('secret-token');
});
