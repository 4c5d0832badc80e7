import { expect, test } from 'bun:test';
import mqtt from 'mqtt';
import { backlogDefaults } from '../../src/stream/backlog.ts';
import { type FleetDevice, inParallel, insertDevices, post } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const roomy = { ratePerSecond: 100_000, burst: 1_000_000 };
const MiB = 1024 ** 2;

const deviceOf = (tenantId: string): FleetDevice => ({
  tenantId,
  deviceId: 'd1',
  siteId: 's1',
  token: `${tenantId}-token`,
});

interface Answer {
  readonly seq: number;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly ms: number;
}

/** Numbered messages of about a kilobyte over single HTTP. */
function createSender(stack: Stack, device: FleetDevice) {
  const answers: Answer[] = [];
  let next = 0;
  return {
    answers,
    accepted: () => answers.filter(({ status }) => status === 202).map(({ seq }) => seq),
    async send(): Promise<Answer> {
      const seq = next++;
      const startedMs = performance.now();
      const response = await post(stack.httpUrl, device, {
        site_id: 's1',
        ts: Date.now(),
        seq,
        metrics: { n: seq },
        padding: 'x'.repeat(1_000),
      });
      const retryAfter = response.headers.get('retry-after');
      const answer = { seq, status: response.status, retryAfter, ms: performance.now() - startedMs };
      answers.push(answer);
      return answer;
    },
  };
}

async function storedSeqs(stack: Stack, { tenantId }: FleetDevice): Promise<number[]> {
  const { rows } = await stack.pool.query<{ seq: string }>(
    'select seq from telemetry where tenant_id = $1 and seq is not null order by seq',
    [tenantId],
  );
  return rows.map(({ seq }) => Number(seq));
}

const inOrder = (seqs: readonly number[]) => seqs.toSorted((a, b) => a - b);

test('the stream full: 503 at once with Retry-After, no PUBACK, no 202 that is not stored; 202 again after workers made room', async () => {
  const roles = { gateway: 1, mqtt: 1, worker: 0 };
  const env = { TRIBUTARY_STREAM_MAX_BYTES: String(MiB), TRIBUTARY_CANARY_INTERVAL_MS: '250' };
  await using stack = await startStack({ roles, env });
  const device = deviceOf('acme');
  await insertDevices(stack.pool, [device], roomy);
  const sender = createSender(stack, device);
  const sendMany = (count: number) =>
    inParallel(
      Array.from({ length: count }, (_, i) => i),
      16,
      async () => void (await sender.send()),
    );
  await until(
    async () => {
      await sendMany(100);
      return sender.answers.some(({ status }) => status === 503);
    },
    { what: 'the stream is full' },
  );
  // Where a smaller message would still fit, larger ones are refused: fill the rest.
  // Between two looks at the stream a door reckons a little much, so it is full when that holds over a look.
  let rounds = 0;
  const refused = await until(
    async () => {
      const answers: Answer[] = [];
      for (let i = 0; i < 100; i += 1) answers.push(await sender.send());
      rounds = answers.every(({ status }) => status === 503) ? rounds + 1 : 0;
      return rounds === 2 && answers;
    },
    { what: 'a hundred messages in a row are refused', everyMs: backlogDefaults.intervalMs * 1.5 },
  );
  const slowest = Math.max(...refused.map(({ ms }) => ms));
  console.log(`full stream: the slowest of ${refused.length} 503s took ${slowest.toFixed(1)} ms`);
  // The aim is 100 ms, and it is met by far; this bound is for a machine that is busy with other things.
  expect(slowest).toBeLessThan(1_000);
  await until(async () => (await sender.send()).retryAfter === '60', {
    what: 'Retry-After says that nothing drains',
  });
  const isFlowSaid = async () => {
    const flow = (await (await fetch(`${stack.httpUrl}/flow`)).json()) as {
      flowing: boolean;
      problems: string[];
    };
    return !flow.flowing && flow.problems.some((problem) => problem.includes('TELEMETRY is full'));
  };
  await until(isFlowSaid, { what: '/flow says that the stream is full' });

  const puback = { came: false, closed: false };
  const client = mqtt.connect(stack.mqttUrl, {
    username: 'acme/d1',
    password: device.token,
    reconnectPeriod: 0,
  });
  client.on('error', () => {});
  client.on('close', () => {
    puback.closed = true;
  });
  await until(() => client.connected, { what: 'the MQTT client is connected' });
  const large = JSON.stringify({
    site_id: 's1',
    msg_id: 'over-mqtt',
    metrics: { n: 1 },
    padding: 'x'.repeat(4_000),
  });
  client.publish('tenant/acme/device/d1/telemetry', large, { qos: 1 }, (error) => {
    if (error === undefined || error === null) puback.came = true;
  });
  await until(() => puback.closed || puback.came, { what: 'the MQTT listener gives up', timeoutMs: 20_000 });
  expect(puback).toEqual({ came: false, closed: true });
  client.end(true);

  const acceptedBefore = sender.accepted();
  await stack.start('worker');
  await until(async () => (await sender.send()).status === 202, { what: '202 again' });
  await until(async () => (await storedSeqs(stack, device)).length >= sender.accepted().length, {
    what: 'everything that was accepted is stored',
  });
  expect(await storedSeqs(stack, device)).toEqual(inOrder(sender.accepted()));
  expect(acceptedBefore.length).toBeGreaterThan(500);
  await until(async () => (await fetch(`${stack.httpUrl}/flow`)).status === 200, { what: 'it flows again' });
});

test('one tenant’s share full: its messages are answered 503, others are taken, and it comes back by itself', async () => {
  const roles = { gateway: 1, mqtt: 0, worker: 0 };
  await using stack = await startStack({ roles, env: { TRIBUTARY_STREAM_MAX_PER_TENANT: '50' } });
  const [loud, quiet] = [deviceOf('loud'), deviceOf('quiet')];
  await insertDevices(stack.pool, [loud, quiet], roomy);
  const [loudly, quietly] = [createSender(stack, loud), createSender(stack, quiet)];
  for (let i = 0; i < 60; i += 1) await loudly.send();
  expect(loudly.answers.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 50 }, () => 202),
    ...Array.from({ length: 10 }, () => 503),
  ]);
  await until(async () => (await loudly.send()).retryAfter === '60', {
    what: 'Retry-After says that nothing drains',
  });
  for (let i = 0; i < 10; i += 1) expect((await quietly.send()).status).toBe(202);
  await stack.start('worker');
  await until(async () => (await loudly.send()).status === 202, { what: 'the loud tenant is taken again' });
  for (const [sender, device] of [
    [loudly, loud],
    [quietly, quiet],
  ] as const) {
    await until(async () => (await storedSeqs(stack, device)).length >= sender.accepted().length, {
      what: `everything of ${device.tenantId} is stored`,
    });
    expect(await storedSeqs(stack, device)).toEqual(inOrder(sender.accepted()));
  }
});
