import { afterAll, expect, test } from 'bun:test';
import { type FleetDevice, registerFleet } from '../harness/fleet.ts';
import { startStack } from '../harness/stack.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';
import { canRun, type Example, httpDevices, mqttDevice, runExample, tap } from './run-example.ts';

const build = tempFolder('examples');
afterAll(() => build.remove());

const readingsPerDevice = 3;

test('every example device lands its readings once, and the tap sees them', async () => {
  await using stack = await startStack();
  const examples = [...httpDevices(build.path), mqttDevice].filter(canRun);
  const fleet = await registerFleet(stack.pool, { tenants: 1, devicesPerTenant: examples.length });
  const total = examples.length * readingsPerDevice;
  using folder = tempFolder('example');
  await using live = runExample(
    tap,
    { NATS_URL: stack.nats.url, TENANT_ID: 't0', COUNT: String(total) },
    folder.path,
  );
  await until(() => live.stderr().includes('listening'), { what: 'the tap listens' });

  const sendAll = async (example: Example, device: FleetDevice | undefined) => {
    if (device === undefined) throw new Error(`no device for ${example.name}`);
    await using run = runExample(
      example,
      { ...addresses(stack), ...settingsOf(device), SPOOL: `${device.deviceId}.spool` },
      folder.path,
    );
    expect([example.name, await run.exited, run.stderr().replace('connected\n', '')]).toEqual([
      example.name,
      0,
      '',
    ]);
  };
  await Promise.all(examples.map((example, index) => sendAll(example, fleet[index])));

  const stored = await until(
    async () => {
      const { rows } = await stack.pool.query<{ device_id: string; site_id: string; count: number }>(
        'select device_id, site_id, count(*)::int from telemetry group by 1, 2 order by 1',
      );
      return rows.reduce((sum, row) => sum + row.count, 0) >= total && rows;
    },
    { what: 'every reading is stored' },
  );
  expect(stored).toEqual(
    fleet.map((device) => ({ device_id: device.deviceId, site_id: device.siteId, count: readingsPerDevice })),
  );
  const { rows: quarantined } = await stack.pool.query('select reason, detail from quarantine');
  expect(quarantined).toEqual([]);

  expect(await live.exited).toBe(0);
  const lines = live.stdout().trim().split('\n');
  expect(lines).toHaveLength(total);
  for (const { deviceId } of fleet) {
    expect(lines.filter((line) => line.includes(` ${deviceId} telemetry {`))).toHaveLength(readingsPerDevice);
  }
});

function addresses({ httpUrl, mqttUrl }: { readonly httpUrl: string; readonly mqttUrl: string }) {
  const { hostname, port } = new URL(mqttUrl);
  return { INGEST_URL: httpUrl, MQTT_HOST: hostname, MQTT_PORT: port };
}

function settingsOf({ tenantId, deviceId, siteId, token }: FleetDevice) {
  return {
    TENANT_ID: tenantId,
    DEVICE_ID: deviceId,
    SITE_ID: siteId,
    DEVICE_TOKEN: token,
    COUNT: String(readingsPerDevice),
    INTERVAL_S: '0.4',
  };
}
