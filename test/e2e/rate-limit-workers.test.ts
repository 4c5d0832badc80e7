import { expect, test } from 'bun:test';
import { connectNats } from '../../src/stream/connection.ts';
import { type FleetDevice, insertDevices } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { silent } from '../stream/stream-fixture.ts';

const burst = 50;
const sent = 6 * burst;

function deviceOf(deviceId: string): FleetDevice {
  return { tenantId: 't0', deviceId, siteId: 's0', token: `token-of-${deviceId}-is-secret` };
}

/** As a door would, but with one time of arrival, so that all fall into one window of the limit. */
async function publishAll(stack: Stack, device: FleetDevice, onHalf?: () => Promise<void>): Promise<void> {
  const nc = await connectNats({ url: stack.nats.url, name: 'test', log: silent });
  // Within one window of 50 messages at 0.001 a second: of 50,000 s.
  const arrivedAtMs = Date.now() - 60_000;
  const { tenantId: tenant_id, deviceId: device_id, siteId: site_id, token: provision_token } = device;
  for (let n = 0; n < sent; n += 1) {
    if (n === sent / 2) {
      await nc.flush();
      await onHalf?.();
    }
    const envelope = {
      topic: `tenant/${tenant_id}/device/${device_id}/telemetry`,
      tenant_id,
      device_id,
      msg_type: 'telemetry',
      username: '',
      payload: { site_id, metrics: { n }, provision_token },
      ts: arrivedAtMs,
    };
    nc.publish(`telemetry.${tenant_id}`, JSON.stringify(envelope));
  }
  await nc.drain();
}

/** What became of a device's messages, once all of them have an outcome. */
async function outcomeOf({ pool }: Stack, { deviceId }: FleetDevice) {
  const text = `select (select count(*) from telemetry where device_id = $1)::int as accepted,
    (select count(*) from quarantine where device_id = $1 and reason = 'RATE_LIMITED')::int as limited`;
  return until(
    async () => {
      const { rows } = await pool.query<{ accepted: number; limited: number }>(text, [deviceId]);
      const [row] = rows;
      return row !== undefined && row.accepted + row.limited === sent && row;
    },
    { what: `all outcomes of ${deviceId}`, timeoutMs: 40_000 },
  );
}

test('one, two and three workers, one that joins and one that is killed: a window takes its burst, and at most as much again for each other worker', async () => {
  const env = {
    TRIBUTARY_BATCH_SIZE: '20',
    TRIBUTARY_ACK_WAIT_MS: '1000',
    TRIBUTARY_TENANT_BURST: '1000000',
  };
  await using stack = await startStack({ roles: { gateway: 0, mqtt: 0, worker: 1 }, env });
  const devices = ['one', 'two', 'three', 'joined', 'killed'].map(deviceOf);
  await insertDevices(stack.pool, devices, { ratePerSecond: 0.001, burst });
  // The tenant's own limit is not what is tried here.
  await stack.pool.query('update tenants set rate_per_second = null, burst = null');
  const [one, two, three, joined, killed] = devices as [
    FleetDevice,
    FleetDevice,
    FleetDevice,
    FleetDevice,
    FleetDevice,
  ];
  const accepted: Record<string, number> = {};
  const run = async (device: FleetDevice, onHalf?: () => Promise<void>) => {
    await publishAll(stack, device, onHalf);
    accepted[device.deviceId] = (await outcomeOf(stack, device)).accepted;
  };
  await run(one);
  await stack.start('worker');
  await run(two);
  await stack.start('worker');
  await run(three);
  await run(joined, async () => void (await stack.start('worker')));
  await run(killed, () => stack.role('worker').kill());
  expect(accepted.one).toBe(burst);
  const bounds = { two: 2, three: 3, joined: 4, killed: 4 };
  for (const [name, workers] of Object.entries(bounds)) {
    expect(accepted[name]).toBeGreaterThanOrEqual(burst);
    expect(accepted[name]).toBeLessThanOrEqual(workers * burst);
  }
}, 120_000);
