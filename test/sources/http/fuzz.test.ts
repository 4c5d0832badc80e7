import { afterAll, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { devicePath, openDoor } from './door.ts';
import { openRaw } from './raw-socket.ts';

const door = openDoor();
afterAll(() => door.drain());

/** Statuses that something a client sends may lead to. */
const allowed = new Set([200, 202, 204, 400, 401, 404, 405, 413, 415, 431]);
const post = (path: string, body: Uint8Array | string, headers: Record<string, string>) =>
  fetch(door.url + path, { method: 'POST', body, headers });

const text = fc.string({ unit: 'binary', maxLength: 40 });
const headerValue = fc
  .string({ maxLength: 60 })
  .map((value) => value.replaceAll(/[^\t\x20-\x7e\xa0-\xff]/g, '~'));
const headers = fc.dictionary(
  fc.constantFrom(
    'X-Provision-Token',
    'Content-Encoding',
    'Idempotency-Key',
    'Content-Type',
    'Authorization',
    'Accept',
  ),
  fc.oneof(headerValue, fc.constantFrom('gzip', 'deflate', 'identity')),
);
const item = fc.record(
  {
    tenant_id: fc.oneof(fc.constant('t1'), fc.jsonValue()),
    device_id: fc.oneof(fc.constant('d1'), fc.jsonValue()),
    msg_type: fc.oneof(fc.constant('telemetry'), fc.jsonValue()),
    provision_token: fc.oneof(fc.constant('tok'), fc.jsonValue()),
    metrics: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const batch = fc.oneof(
  fc.array(fc.oneof(item, fc.jsonValue()), { maxLength: 20 }).map((messages) => JSON.stringify({ messages })),
  fc.json(),
);
/** Valid text with a piece cut out or bytes put in. */
const mangled = fc
  .tuple(batch, fc.nat(), fc.nat(10), fc.uint8Array({ maxLength: 6 }))
  .map(([valid, at, length, bytes]) => {
    const whole = Buffer.from(valid);
    const from = at % (whole.length + 1);
    return Buffer.concat([whole.subarray(0, from), bytes, whole.subarray(from + length)]);
  });
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  mangled,
  mangled.map((bytes) => gzipSync(bytes)),
  batch,
);

test('no path, header or body leads to a 5xx or a dropped request', async () => {
  const segment = fc.oneof(text, fc.constantFrom('tenant', 'device', 'telemetry', '..', '%', '%2F', ''));
  const path = fc.oneof(
    fc.constantFrom('/ingest/v1/batch', devicePath),
    fc
      .tuple(text, text, text)
      .map(
        ([tenant, device, msgType]) =>
          `/ingest/v1/tenant/${encode(tenant)}/device/${encode(device)}/${encode(msgType)}`,
      ),
    fc.array(segment.map(encode), { maxLength: 8 }).map((segments) => `/${segments.join('/')}`),
  );
  await fc.assert(
    fc.asyncProperty(path, body, headers, async (where, what, how) => {
      const answer = await post(where, what, how);
      expect(allowed).toContain(answer.status);
      if (answer.status >= 400) expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
      await answer.arrayBuffer();
    }),
    { numRuns: 1_500 },
  );
  expect(door.logged).toEqual([]);
}, 60_000);

test('each item of a batch has one outcome, in order, and what is accepted reaches intake as sent', async () => {
  const items = fc.array(fc.oneof(item, fc.jsonValue()), { minLength: 1, maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(items, async (messages) => {
      door.taken.length = 0;
      const answer = await post('/ingest/v1/batch', JSON.stringify({ messages }), {});
      expect(answer.status).toBe(200);
      const told = (await answer.json()) as {
        accepted: number;
        rejected: number;
        results: { index: number; status: string }[];
      };
      expect(told.results.map(({ index }) => index)).toEqual(messages.map((_, index) => index));
      const accepted = told.results.filter(({ status }) => status === 'accepted');
      expect([told.accepted, told.rejected]).toEqual([accepted.length, messages.length - accepted.length]);
      expect(door.taken.map(({ payloadText }) => payloadText)).toEqual(
        accepted.map(({ index }) => JSON.stringify(messages[index])),
      );
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('no bytes on a connection lead to a 5xx or stop the door', async () => {
  const line = fc.oneof(
    fc.constantFrom(
      `POST ${devicePath} HTTP/1.1`,
      'Host: x',
      'X-Provision-Token: t',
      'Content-Length: 2',
      '',
      '{}',
    ),
    fc.constantFrom(
      'Transfer-Encoding: chunked',
      'Content-Length: 99999999999999999999',
      'Expect: x',
      '0',
      'GET * HTTP/1.1',
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 10 }), async (lines) => {
      const raw = openRaw(door.port, `${lines.join('\r\n')}\r\n\r\n`);
      raw.halfClose();
      const statuses = [...(await raw.closed).matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) =>
        Number(status),
      );
      // 505 is what the runtime answers to bytes that name another HTTP version: the client's fault in spite of its number.
      for (const status of statuses.filter((each) => each !== 505)) expect(status).toBeLessThan(500);
      expect((await fetch(`${door.url}/healthz`)).status).toBe(200);
    }),
    { numRuns: 300 },
  );
  expect(door.logged).toEqual([]);
}, 60_000);

function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll('%25', '%');
}
