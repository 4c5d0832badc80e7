import { expect, test } from 'bun:test';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { acceptsConnections, findFreePort } from '../../src/roles/up/ports.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';

const deploy = resolve(import.meta.dir, '../../deploy');

/** The very files, with the container's places moved into a folder. */
async function startBroker(cleanup: AsyncDisposableStack) {
  const temp = tempFolder('mosquitto-conf');
  cleanup.defer(() => temp.remove());
  const at = (...path: string[]) => join(temp.path, ...path);
  mkdirSync(at('data'));
  cpSync(join(deploy, 'mosquitto'), at('config'), { recursive: true });
  cpSync(join(deploy, 'make-secrets.sh'), at('make-secrets.sh'));
  expect(Bun.spawnSync(['sh', at('make-secrets.sh')], { stdout: 'ignore' }).success).toBe(true);
  const secrets = at('compose/secrets');
  const port = await findFreePort({ random: Math.random });
  const text = readFileSync(at('config/mosquitto.conf'), 'utf8')
    .replace('listener 1883', `listener ${port} 127.0.0.1`)
    .replaceAll('/mosquitto/', `${temp.path}/`)
    .replaceAll('/run/secrets/', `${secrets}/`);
  // Started as root it would become another user, who may not enter the folder.
  writeFileSync(at('config/mosquitto.conf'), `${text}\nuser root\n`);
  const program = Bun.which('mosquitto', { PATH: `${process.env.PATH}:/usr/sbin` }) ?? 'mosquitto';
  const child = Bun.spawn([program, '-c', at('config/mosquitto.conf')], {
    stdout: 'ignore',
    stderr: 'ignore',
  });
  cleanup.defer(async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  await until(async () => child.exitCode !== null || (await acceptsConnections(port, '127.0.0.1')), {
    what: 'mosquitto listens',
  });
  expect(child.exitCode).toBeNull();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    password: readFileSync(join(secrets, 'bridge_password'), 'utf8'),
  };
}

test('the broker of the profile lets devices publish and read nothing, and the bridge read with its password', async () => {
  await using cleanup = new AsyncDisposableStack();
  const { url, password } = await startBroker(cleanup);
  const connect = async (options: object): Promise<MqttClient> => {
    const client = await connectAsync(url, { reconnectPeriod: 0, ...options });
    cleanup.defer(() => client.endAsync(true));
    return client;
  };
  const heardBy = (client: MqttClient) => {
    const topics: string[] = [];
    client.on('message', (topic) => topics.push(topic));
    return topics;
  };
  const bridge = await connect({ username: 'bridge', password, protocolVersion: 5 });
  const ofBridge = heardBy(bridge);
  await bridge.subscribeAsync('$share/tributary/tenant/+/device/+/+', { qos: 1 });
  const stranger = await connect({});
  const ofStranger = heardBy(stranger);
  await stranger.subscribeAsync('tenant/#', { qos: 1 }).catch(() => undefined);
  const device = await connect({});
  // Mosquitto acknowledges what it refuses over MQTT 3.1.1, drops it and closes the connection.
  const [lost, reader] = [await connect({}), await connect({ username: 'bridge', password })];
  await lost.publishAsync('tenant/t1/device/d1/telemetry/elsewhere', 'x', { qos: 1 });
  await device.publishAsync('tenant/t1/device/d1/telemetry', '{}', { qos: 1 });
  await until(() => ofBridge.length > 0, { what: 'the bridge hears the device' });
  await reader.publishAsync('tenant/t1/device/d2/telemetry', '{}', { qos: 1 });
  await device.publishAsync('tenant/t1/device/d3/telemetry', '{}', { qos: 1 });
  await until(() => ofBridge.length > 1, { what: 'the bridge hears the device again' });
  expect(ofBridge).toEqual(['tenant/t1/device/d1/telemetry', 'tenant/t1/device/d3/telemetry']);
  expect(ofStranger).toEqual([]);
  await expect(connect({ username: 'bridge', password: `${password}x` })).rejects.toThrow(/not auth/i);
});

test('each option that the docs tell to set is set', () => {
  const conf = readFileSync(join(deploy, 'mosquitto/mosquitto.conf'), 'utf8').split('\n');
  for (const line of [
    'persistence true',
    'autosave_interval 1',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'message_size_limit 262144',
  ])
    expect(conf).toContain(line);
});
