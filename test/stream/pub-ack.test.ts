import { expect, test } from 'bun:test';
import { headers, type Msg } from '@nats-io/nats-core';
import { readPubAck } from '../../src/stream/pub-ack.ts';

function reply(text: string, code?: number): Pick<Msg, 'data' | 'headers' | 'string'> {
  const status = code === undefined ? undefined : { headers: headers(code, 'No Responders') };
  return { data: new TextEncoder().encode(text), string: () => text, ...status };
}

const error = (code: number, errCode: number, description: string) =>
  reply(JSON.stringify({ error: { code, err_code: errCode, description }, stream: 'TELEMETRY', seq: 0 }));

test.each([
  [
    error(503, 10_077, 'maximum messages per subject exceeded'),
    'tenant_full',
    { passing: false, known: true },
  ],
  [error(503, 10_077, 'maximum bytes exceeded'), 'stream_full', { passing: false, known: true }],
  [error(503, 10_077, 'maximum messages exceeded'), 'stream_full', { passing: false, known: true }],
  [error(503, 10_077, 'no space left on device'), 'refused', { passing: false, known: false }],
  [error(503, 10_023, 'insufficient resources'), 'stream_full', { passing: false, known: true }],
  [error(500, 10_047, 'insufficient storage resources available'), 'stream_full', { known: true }],
  [error(400, 10_054, 'message size exceeds maximum allowed'), 'too_large', { known: true }],
  [error(429, 10_167, 'too many requests'), 'overloaded', { known: true }],
  [error(404, 10_059, 'stream not found'), 'no_stream', { passing: false, known: true }],
  [
    error(503, 10_008, 'JetStream system temporarily unavailable'),
    'no_stream',
    { passing: true, known: true },
  ],
  [error(503, 10_076, 'JetStream not enabled'), 'no_stream', { passing: true, known: true }],
  [error(409, 10_158, 'duplicate message id is in process'), 'timeout', { passing: true, known: false }],
  [error(503, 0, 'raft: not leader'), 'no_stream', { passing: true, known: true }],
  [error(400, 10_060, 'expected stream does not match'), 'refused', { passing: false, known: true }],
  [reply('', 503), 'no_stream', { passing: true, known: true }],
])('%#: a refusal is told by its class', (message, why, how) => {
  expect(readPubAck(message)).toMatchObject({ stored: false, why, ...how });
});

test('a PubAck names stream and sequence, and whether the id was known', () => {
  expect(readPubAck(reply('{"stream":"TELEMETRY","seq":7}'))).toEqual({
    stored: true,
    stream: 'TELEMETRY',
    seq: 7,
    duplicate: false,
  });
  expect(readPubAck(reply('{"stream":"S","domain":"hub","seq":7,"duplicate":true}'))).toMatchObject({
    duplicate: true,
  });
});

test.each([
  '',
  'ok',
  '7',
  'null',
  '{}',
  '{"seq":1}',
  '{"stream":"S","seq":0}',
  '{"stream":"S","seq":"1"}',
  '[1]',
])('what is no answer of JetStream is none: %p', (text) => {
  expect(readPubAck(reply(text))).toBeUndefined();
});
