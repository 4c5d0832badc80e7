import { afterAll, beforeAll, expect, test } from 'bun:test';
import mqtt from 'mqtt';
import { type Certificates, makeCertificates } from '../../../harness/certificates.ts';
import { startMosquitto, type TestMosquitto } from '../../../harness/mosquitto.ts';
import { until } from '../../../harness/until.ts';
import { startBridged, stored } from './bridged.ts';

let certificates: Certificates;
/** Asks every client for a certificate. */
let broker: TestMosquitto;

beforeAll(async () => {
  certificates = makeCertificates();
  const { ca, server } = certificates;
  const files = [`cafile ${ca}`, `certfile ${server.cert}`, `keyfile ${server.key}`];
  broker = await startMosquitto({ scheme: 'mqtts', config: [...files, 'require_certificate true'] });
});
afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  certificates[Symbol.dispose]();
});

test('mutual TLS: the broker’s certificate is checked, and the bridge shows its own', async () => {
  const { ca, client } = certificates;
  await using bridged = startBridged({ url: new URL(broker.url), tls: { ca, ...client } });
  bridged.intake.always = stored;
  await until(() => bridged.counts.subscribed === 1, { what: 'it is subscribed' });
  const files = { ca: await Bun.file(ca).text(), cert: await Bun.file(client.cert).text() };
  const key = await Bun.file(client.key).text();
  const device = await mqtt.connectAsync(broker.url, { ...files, key });
  await device.publishAsync('tenant/t1/device/d1/telemetry', '{}', { qos: 1 });
  await device.endAsync();
  await until(() => bridged.counts.settled.length === 1, { what: 'the message came' });
});

test.each(['a broker whom nobody known has signed', 'no certificate of its own'])(
  '%s: no connection, and why is said',
  async (which) => {
    const { ca, client, stranger } = certificates;
    const isStranger = which.startsWith('a broker');
    const tls = isStranger ? { ca: stranger.ca, ...client } : { ca, cert: undefined, key: undefined };
    await using bridged = startBridged({ url: new URL(broker.url), tls });
    const isAway = () => bridged.logged.some(({ event }) => event === 'mqtt_bridge_away');
    await until(isAway, { what: 'it says that it is away' });
    expect(bridged.counts.subscribed).toBe(0);
    if (isStranger) expect(bridged.bridge.whyAway()).toMatch(/certificate|signature/);
  },
);
