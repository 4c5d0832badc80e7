import { afterAll, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import pino from 'pino';
import { createIntake } from '../../../src/intake/intake.ts';
import { devicePath, openDoor, token } from './door.ts';

/** The real intake; what it would publish is kept instead. */
const published: { text: string; msgId: string }[] = [];
const intake = createIntake({
  publisher: {
    publish: async (_subject, data, msgId) => {
      published.push({ text: Buffer.from(data).toString(), msgId });
      return { ok: true, seq: published.length, duplicate: false };
    },
    disconnectedForMs: 0,
  },
  admission: { admit: () => undefined },
  backlog: { current: () => undefined },
  clock: () => 1_767_225_600_000,
  random: Math.random,
  randomBytes,
  log: pino({ level: 'silent' }),
});
const door = openDoor(undefined, { intake });
afterAll(() => door.drain());

/** JSON texts that a parser changes, a database refuses, or a hash could stumble over. */
const poison = [
  '1e400',
  '-1e400',
  '12345678901234567890123',
  '1.0',
  '1E+2',
  '-0',
  '0.1000000000000000055511151231257827',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u2028"',
  '{"a":1,"a":2}',
  '{"":{}}',
  '{"constructor":1,"toString":null,"hasOwnProperty":0}',
];

test.each(poison)('%s reaches the stream as written, alone and in a batch', async (value) => {
  for (const identified of [
    '',
    '"ts":1767225600000,"seq":1,',
    '"ts":1e400,"seq":12345678901234567890,',
    '"msg_id":"k",',
  ]) {
    const members = `${identified}"metrics" : {"m":${value}}`;
    published.length = 0;
    expect((await door.post(devicePath, `{${members}}`)).status).toBe(202);
    const item = `{"tenant_id":"t1","device_id":"d1","provision_token":"tok",${members}}`;
    expect((await door.post('/ingest/v1/batch', `{"messages":[${item}]}`, {})).status).toBe(200);
    expect(
      published.map(({ text }) => text.slice(text.indexOf('"payload":'), text.lastIndexOf(',"ts":'))),
    ).toEqual([`"payload":{"provision_token":"tok",${members}}`, `"payload":${item}`]);
  }
});

test('the same key, header or msg_id, is the same identity over either path', async () => {
  published.length = 0;
  await door.post(devicePath, '{"a":1}', { ...token, 'Idempotency-Key': 'k' });
  await door.post(devicePath, '{"msg_id":"k","a":1}');
  await door.post(
    '/ingest/v1/batch',
    '{"messages":[{"tenant_id":"t1","device_id":"d1","provision_token":"tok","msg_id":"k","a":1}]}',
    {},
  );
  const identities = published.map(({ msgId }) => msgId.split('.')[1]);
  expect(new Set(identities).size).toBe(1);
});

test('the same ts, seq and body are the same message over either path', async () => {
  published.length = 0;
  const members = '"ts":1767225600000,"seq":1,"metrics":{"temp":22.5}';
  await door.post(devicePath, `{${members}}`);
  await door.post(
    '/ingest/v1/batch',
    `{"messages":[{"tenant_id":"t1","device_id":"d1","provision_token":"tok",${members}}]}`,
    {},
  );
  expect(published[0]?.msgId).toStartWith('c1.');
  expect(published[1]?.msgId).toBe(published[0]?.msgId ?? '');
});

test('nothing that passes the form makes intake fail', async () => {
  const member = fc.oneof(
    fc.jsonValue(),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.bigInt().map(String),
  );
  const body = fc
    .dictionary(
      fc.oneof(fc.constantFrom('ts', 'seq', 'msg_id', 'metrics', 'provision_token'), fc.string()),
      member,
    )
    .map((value) => JSON.stringify(value))
    // Now and then a number that no double holds.
    .map((text) => text.replace(/:(\d+)\b/, ':$1e999'));
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const answer = await door.post(devicePath, text);
      expect([202, 400]).toContain(answer.status);
      await answer.arrayBuffer();
    }),
    { numRuns: 500 },
  );
}, 30_000);
