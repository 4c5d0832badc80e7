import { expect, test } from 'bun:test';
import pino from 'pino';
import { ConfigError, parseConfig } from '../../src/config/parse-config.ts';
import { startMqttBridgeRole } from '../../src/roles/mqtt-bridge.ts';

/** Nobody listens there. */
const nowhere = { NATS_URL: 'nats://127.0.0.1:1', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };

const tls = { TRIBUTARY_BRIDGE_URL: 'mqtts://broker' };

test.each([
  ['no broker', {}, 'TRIBUTARY_BRIDGE_URL is not set: name the broker to read from, mqtt://host:1883.'],
  ['another protocol', { TRIBUTARY_BRIDGE_URL: 'http://broker' }, 'is no broker’s address'],
  ['no URL', { TRIBUTARY_BRIDGE_URL: 'u:secret@broker' }, 'TRIBUTARY_BRIDGE_URL is no broker’s address'],
  ['a password in the URL', { TRIBUTARY_BRIDGE_URL: 'mqtt://u:secret@broker' }, 'TRIBUTARY_BRIDGE_PASSWORD'],
  [
    'several connections that would each get everything',
    { TRIBUTARY_BRIDGE_URL: 'mqtt://broker', TRIBUTARY_BRIDGE_SHARED: 'no' },
    'each connection would get every message. Set it to 1.',
  ],
  ['a certificate without its key', { ...tls, TRIBUTARY_BRIDGE_TLS_CERT: '/cert' }, 'set both or neither'],
  [
    'a file that is not there',
    { ...tls, TRIBUTARY_BRIDGE_TLS_CA: '/no/ca.pem' },
    '/no/ca.pem cannot be read',
  ],
  [
    'TLS files for a connection without TLS',
    { TRIBUTARY_BRIDGE_URL: 'mqtt://broker', TRIBUTARY_BRIDGE_TLS_CA: '/ca.pem' },
    'make it mqtts://',
  ],
])('%s: refused in one sentence, without secrets', async (_name, environment, sentence) => {
  const config = parseConfig({ ...nowhere, ...environment });
  const error = await startMqttBridgeRole(config, { log: pino({ level: 'silent' }) }).catch(
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toContain(sentence);
  expect(error.message).not.toContain('secret');
});
