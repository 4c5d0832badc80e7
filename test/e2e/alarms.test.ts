import { expect, test } from 'bun:test';
import { connect } from '@nats-io/transport-node';
import { requestApi } from '../../src/stream/jetstream-api.ts';
import { consumerInfo } from '../../src/stream/stream-info.ts';
import { consumerName, streamName } from '../../src/stream/subjects.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

test('somebody limits the consumer’s deliveries: what JetStream gives up on is an alarm until it is cleared', async () => {
  await using stack = await startStack({
    roles: { gateway: 1, mqtt: 0, worker: 1 },
    env: { TRIBUTARY_CANARY_INTERVAL_MS: '0' },
  });
  const nc = await connect({ servers: stack.nats.url });
  await stack.role('worker').stop();
  const { config } = await consumerInfo(nc, streamName, consumerName);
  await requestApi(nc, `CONSUMER.DELETE.${streamName}.${consumerName}`);
  await requestApi(nc, `CONSUMER.DURABLE.CREATE.${streamName}.${consumerName}`, {
    stream_name: streamName,
    config: { ...config, max_deliver: 1 },
  });
  const check = await stack.cli('topology', '--check');
  expect(check.stdout + check.stderr).toContain('max_deliver is 1, wanted -1');

  // Delivered to somebody who gives it back, and who is no worker.
  nc.publish('telemetry.acme', '{}');
  const delivered = await nc.request(
    `$JS.API.CONSUMER.MSG.NEXT.${streamName}.${consumerName}`,
    JSON.stringify({ batch: 1, expires: 5_000_000_000 }),
    // JetStream delivers under the message’s own subject, which the shared inbox cannot tell apart.
    { timeout: 6_000, noMux: true },
  );
  await stack.start('worker');
  nc.publish(delivered.reply ?? '', '-NAK');
  await nc.flush();

  const alarms = await until(
    async () => {
      const listed = (await stack.cliJson('alarms', 'list')) as { count: number; subject: string }[];
      return listed.length > 0 && listed;
    },
    { what: 'the alarm is written down' },
  );
  expect(alarms).toMatchObject([
    {
      kind: 'max_deliveries',
      subject: `${streamName}/${consumerName}`,
      count: 1,
      detail: expect.stringMatching(/sequence 1 of TELEMETRY .* after 1 attempts/),
    },
  ]);
  expect(stack.roles.map((role) => role.log()).join('')).toContain('"event":"max_deliveries"');
  const red = await stack.cli('status');
  expect([red.code, red.stderr]).toEqual([1, expect.stringContaining('There are alarms')]);
  expect(red.stdout).toContain('JetStream gave up delivering');

  expect((await stack.cli('topology', '--update')).code).toBe(0);
  expect((await stack.cli('alarms', 'clear')).stdout).toContain('1 cleared');
  expect((await stack.cli('status')).code).toBe(0);
  await nc.close();
});
