import { describe, expect, test } from 'bun:test';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';
import { canRun, mqttDevice, runExample } from './run-example.ts';
import { startScriptedBroker } from './scripted-broker.ts';

const settings = {
  DEVICE_TOKEN: 'secret-token',
  TENANT_ID: 't1',
  DEVICE_ID: 'd1',
  SITE_ID: 's1',
  MQTT_HOST: '127.0.0.1',
  INTERVAL_S: '0.1',
};

describe.skipIf(!canRun(mqttDevice))(mqttDevice.name, () => {
  test('sends a reading again when the connection ends without its PUBACK', async () => {
    await using broker = await startScriptedBroker((index) => index > 0);
    using folder = tempFolder('example');
    const env = { ...settings, MQTT_PORT: String(broker.port), COUNT: '2' };
    await using run = runExample(mqttDevice, env, folder.path);
    expect(await run.exited).toBe(0);
    const [first, again, ...others] = broker.published;
    expect(first?.topic).toBe('tenant/t1/device/d1/telemetry');
    expect(again).toEqual(first as NonNullable<typeof first>);
    expect(others.map(({ text }) => JSON.parse(text).seq)).toEqual([2]);
  });

  test('sends what had no PUBACK again after a restart', async () => {
    await using broker = await startScriptedBroker((index) => index > 0);
    using folder = tempFolder('example');
    const env = { ...settings, MQTT_PORT: String(broker.port), COUNT: '1' };
    {
      await using _killed = runExample(mqttDevice, env, folder.path);
      await until(() => broker.published.length === 1, { what: 'the first reading was sent' });
    }
    await using run = runExample(mqttDevice, env, folder.path);
    expect(await run.exited).toBe(0);
    const [first, again, ...others] = broker.published;
    expect(again).toEqual(first as NonNullable<typeof first>);
    expect(others.map(({ text }) => JSON.parse(text).seq)).toEqual([2]);
  });
});
