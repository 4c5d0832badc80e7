import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { devicePath, openDoor, refusal, token, told } from './door.ts';

const door = openDoor();
afterAll(() => door.drain());
beforeEach(() => {
  door.taken.length = 0;
});

const body = '{"metrics":{"temp":22}}';
const maxBytes = 256 * 1024;
const send = (bytes: Uint8Array | string, encoding: string) =>
  door.post(devicePath, bytes, { ...token, 'Content-Encoding': encoding });

describe('an encoded body', () => {
  test.each([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['GZIP', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    ['identity', Buffer.from(body)],
  ])('%s is inflated (%#)', async (encoding, bytes) => {
    expect((await send(bytes, encoding)).status).toBe(202);
    expect(door.taken[0]?.payload).toEqual({ metrics: { temp: 22 }, provision_token: 'tok' });
  });

  test.each(['br', 'zstd', 'compress', 'gzip, gzip', 'chunked'])(
    '%s: 415 says what is taken',
    async (encoding) => {
      const answer = await send(body, encoding);
      expect(answer.headers.get('Accept-Encoding')).toBe('gzip, deflate, identity');
      expect(await told(Promise.resolve(answer))).toEqual(refusal('unsupported_encoding'));
    },
  );

  test.each([
    ['gzip', Buffer.from(body)],
    ['gzip', gzipSync(body).subarray(0, 20)],
    ['gzip', Buffer.alloc(0)],
    ['deflate', Buffer.from(body)],
    ['deflate', deflateSync(body).subarray(0, 12)],
  ])('%s that is none counts as not JSON (%#)', async (encoding, bytes) => {
    expect(await told(send(bytes, encoding))).toEqual(refusal('invalid_json_body'));
    expect(await told(door.post('/ingest/v1/batch', bytes, { 'Content-Encoding': encoding }))).toEqual(
      refusal('invalid_json'),
    );
  });

  test('has the limit after inflating', async () => {
    const fits = `{"a":"${'x'.repeat(maxBytes - 8)}"}`;
    expect((await send(gzipSync(fits), 'gzip')).status).toBe(202);
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(`${fits} `)],
      ['deflate', deflateSync(`${fits} `)],
      ['deflate', deflateRawSync(`${fits} `)],
    ] as const) {
      expect(await told(send(bytes, encoding))).toEqual(refusal('too_large'));
    }
  });

  test('of a gigabyte of zeros is refused without inflating it', async () => {
    // Members of a gzip file follow one another: 1 GB in 1 MB without ever holding it.
    const member = gzipSync(new Uint8Array(8 * 1024 * 1024), { level: 9 });
    const bomb = Buffer.concat(Array<Buffer>(125).fill(member));
    expect(bomb.length).toBeLessThan(1024 * 1024);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 10; round++) {
      const answer = door.post('/ingest/v1/batch', bomb, { 'Content-Encoding': 'gzip' });
      expect(await told(answer)).toEqual(refusal('too_large'));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });
});

test('a bomb of zeros for the single route is refused too', async () => {
  const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024), { level: 9 });
  expect(bomb.length).toBeLessThan(maxBytes);
  expect(await told(send(bomb, 'gzip'))).toEqual(refusal('too_large'));
});
