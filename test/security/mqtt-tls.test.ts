import { afterAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import mqtt, { type IClientOptions } from 'mqtt';
import { makeCertificates } from '../harness/certificates.ts';
import { startListener, stored, topicOfD1 } from '../sources/mqtt/listener.ts';

const certificates = makeCertificates();
afterAll(() => certificates[Symbol.dispose]());
const pem = (file: string) => readFileSync(file, 'utf8');
const server = { cert: pem(certificates.server.cert), key: pem(certificates.server.key) };

function connect(port: number | undefined, options: IClientOptions) {
  const url = `mqtts://127.0.0.1:${port}`;
  return mqtt.connectAsync(
    url,
    { reconnectPeriod: 0, username: 't1/d1', password: 'secret', ...options },
    false,
  );
}

test('a device publishes over TLS, and gets its PUBACK, through the same checks as without', async () => {
  await using listener = await startListener({ tls: { port: 0, ...server }, answer: () => stored });
  expect(listener.source.tlsPort).not.toBe(listener.port);
  const client = await connect(listener.source.tlsPort, { ca: pem(certificates.ca) });
  await client.publishAsync(topicOfD1, '{"site_id":"s1","metrics":{"temp":22}}', { qos: 1 });
  expect(listener.intake.messages).toHaveLength(1);
  await client.endAsync();
});

test('a client that trusts another authority does not connect', async () => {
  await using listener = await startListener({ tls: { port: 0, ...server } });
  const { tlsPort } = listener.source;
  await expect(connect(tlsPort, { ca: pem(certificates.stranger.ca) })).rejects.toThrow(/certificate/i);
});

test('with an authority for devices, only those it vouches for connect', async () => {
  const clientCa = pem(certificates.ca);
  await using listener = await startListener({ tls: { port: 0, ...server, clientCa }, answer: () => stored });
  const { tlsPort } = listener.source;
  const ca = pem(certificates.ca);
  const { client, stranger } = certificates;
  const known = await connect(tlsPort, { ca, cert: pem(client.cert), key: pem(client.key) });
  await known.endAsync();
  await expect(connect(tlsPort, { ca, cert: pem(stranger.cert), key: pem(stranger.key) })).rejects.toThrow();
  await expect(connect(tlsPort, { ca })).rejects.toThrow();
  expect(listener.intake.messages).toBeEmpty();
});
