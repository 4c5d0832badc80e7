import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import { until } from '../../harness/until.ts';
import { devicePath, openDoor, storedResult } from './door.ts';
import { head, openRaw, type RawExchange } from './raw-socket.ts';

const receiveTimeoutMs = 1_000;
const door = openDoor(() => storedResult, { receiveTimeoutMs, answerTimeoutMs: 1_000 });
afterAll(() => door.drain());
beforeEach(() => {
  door.taken.length = 0;
});

const tok = 'X-Provision-Token: tok';
const whole = `${head('POST', devicePath, tok, 'Content-Length: 2')}{}`;
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
const detailOf = (text: string) => /"detail":"([^"]*)"/.exec(text)?.[1];
const drip = (raw: RawExchange, text: () => string): Promise<string> => {
  const timer = setInterval(() => raw.send(text()), 100);
  return raw.closed.finally(() => clearInterval(timer));
};

describe('a slow sender', () => {
  test.each([
    ['that never sends its body', 'Content-Length: 100'],
    ['that never ends its chunks', 'Transfer-Encoding: chunked'],
  ])('%s gets 408 and is closed', async (_, line) => {
    const answer = await openRaw(door.port, head('POST', devicePath, tok, line)).closed;
    expect(statusOf(answer)).toBe(408);
    expect(answer).toContain('Connection: close');
    expect(detailOf(answer)).toBe('Request not received in time');
  });

  test.each([
    ['byte by byte', 'Content-Length: 1000', ' '],
    ['chunk by chunk', 'Transfer-Encoding: chunked', '1\r\n \r\n'],
  ] as const)('that goes on %s gets 408 all the same', async (_, line, more) => {
    const answer = await drip(openRaw(door.port, head('POST', devicePath, tok, line)), () => more);
    expect(statusOf(answer)).toBe(408);
    expect(door.taken).toEqual([]);
  });

  test('of headers is closed without an answer, also when it goes on line by line', async () => {
    const begun = `POST ${devicePath} HTTP/1.1\r\nHost: door\r\n`;
    let line = 0;
    const another = () => `X-${line++}: 1\r\n`;
    const used = openRaw(door.port, whole);
    await until(() => used.received().includes('accepted'), { what: 'the first answer' });
    used.send(begun);
    const answers = await Promise.all([
      openRaw(door.port).closed,
      openRaw(door.port, `POST ${devicePath} HT`).closed,
      openRaw(door.port, begun).closed,
      drip(openRaw(door.port, begun), another),
      drip(used, another),
    ]);
    expect(answers.slice(0, 4)).toEqual(['', '', '', '']);
    expect(answers[4]?.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 202']);
  }, 30_000);
});

describe('many senders of big bodies', () => {
  test('share the room for what is on its way in: 503 beyond it, while small ones always find room', async () => {
    await using full = openDoor(undefined, { maxReceivingBytes: 100_000, maxBatchBytes: 50_000 });
    const begin = (line: string) => openRaw(full.port, `${head('POST', devicePath, tok, line)}{`);
    const held = [begin('Content-Length: 40000'), begin('Content-Length: 40000')];
    const big = `{"a":"${'x'.repeat(20_001)}"}`;
    const isFull = async () => (await full.post(devicePath, big)).status === 503;
    await until(isFull, { what: 'no room left' });
    const refused = await full.post(devicePath, big);
    expect([refused.headers.get('Retry-After'), refused.status]).toEqual(['2', 503]);
    const chunked = openRaw(full.port, head('POST', '/ingest/v1/batch', 'Transfer-Encoding: chunked'));
    expect(statusOf(await chunked.closed)).toBe(503);
    expect((await full.post(devicePath, big.slice(0, 16_000).concat('"}'))).status).toBe(202);
    // One goes away, one arrives: both make room.
    held[0]?.destroy();
    await until(async () => (await full.post(devicePath, big)).status === 202, { what: 'room again' });
    held[1]?.send(`${' '.repeat(39_998)}}`);
    await until(() => held[1]?.received().includes('accepted'), { what: 'the held one' });
    const bigger = `{"a":"${'x'.repeat(99_000)}"}`;
    expect((await full.post(devicePath, bigger)).status).toBe(202);
    held[1]?.destroy();
  });
});

describe('framing', () => {
  test('chunked is taken, across chunks and packets', async () => {
    const raw = openRaw(door.port, head('POST', devicePath, tok, 'Transfer-Encoding: chunked'));
    for (const chunk of [
      '2\r\n{"\r\n',
      '6;ext=1\r\na":"\xc3\xa9\r\n',
      '2\r\n"}\r\n',
      '0\r\nTrailer: x\r\n\r\n',
    ]) {
      raw.send(Buffer.from(chunk, 'latin1'));
      await Bun.sleep(2);
    }
    await until(() => raw.received().includes('accepted'), { what: '202' });
    expect(door.taken[0]?.payload.a).toBe('é');
    raw.destroy();
  });

  test('a chunked body beyond the limit is 413 and closed', async () => {
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const raw = openRaw(door.port, head('POST', devicePath, tok, 'Transfer-Encoding: chunked'));
    const timer = setInterval(() => raw.send(chunk), 5);
    const answer = await raw.closed.finally(() => clearInterval(timer));
    expect(statusOf(answer)).toBe(413);
    expect(detailOf(answer)).toBe('Body too large');
  });

  test('a Content-Length beyond the limit is 413 before anything is read', async () => {
    const raw = openRaw(door.port, head('POST', devicePath, tok, 'Content-Length: 262145'));
    await until(() => raw.received().includes('Body too large'), { what: '413' });
    expect(statusOf(raw.received())).toBe(413);
    // The sender may finish, and go on with the connection.
    raw.send('x'.repeat(262_145) + whole);
    await until(() => raw.received().includes('accepted'), { what: '202' });
    raw.destroy();
  });

  test.each(['5000000', '9007199254740991'])('a Content-Length of %s is 413 and closed', async (length) => {
    const answer = await openRaw(door.port, head('POST', devicePath, tok, `Content-Length: ${length}`))
      .closed;
    expect(statusOf(answer)).toBe(413);
    expect(answer).toContain('Connection: close');
  });

  test('Expect: 100-continue is answered, then the request', async () => {
    const raw = openRaw(
      door.port,
      head('POST', devicePath, tok, 'Content-Length: 2', 'Expect: 100-continue'),
    );
    await until(() => raw.received().startsWith('HTTP/1.1 100 Continue\r\n\r\n'), { what: '100' });
    raw.send('{}');
    await until(() => raw.received().includes('202 Accepted'), { what: '202' });
    raw.destroy();
  });

  test.each([
    ['a negative Content-Length', head('POST', devicePath, tok, 'Content-Length: -1')],
    ['two Content-Lengths', head('POST', devicePath, tok, 'Content-Length: 2', 'Content-Length: 3')],
    [
      'Content-Length and chunked',
      head('POST', devicePath, tok, 'Content-Length: 2', 'Transfer-Encoding: chunked'),
    ],
    ['a chunk without a size', `${head('POST', devicePath, tok, 'Transfer-Encoding: chunked')}zz\r\n`],
    ['no Host', `POST ${devicePath} HTTP/1.1\r\n${tok}\r\nContent-Length: 2\r\n\r\n{}`],
    ['NUL in a header', head('POST', devicePath, 'X-Provision-Token: a\0b')],
    ['a lone line feed', `POST ${devicePath} HTTP/1.1\nHost: door\n\n`],
    ['a header beyond 16 KB', head('POST', devicePath, `X-Provision-Token: ${'x'.repeat(20_000)}`)],
    ['201 headers', head('POST', devicePath, ...Array.from({ length: 201 }, (_, index) => `X-${index}: 1`))],
    ['TLS', Buffer.from('16030100a1010000', 'hex')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])(
    '%s: refused or closed, never taken',
    async (_, bytes) => {
      const raw = openRaw(door.port, bytes);
      raw.send('\r\n\r\n');
      expect([400, 431, 505, Number.NaN]).toContain(statusOf(await raw.closed));
      expect(door.taken).toEqual([]);
    },
    20_000,
  );

  test('a body without Content-Length is empty, and not JSON', async () => {
    const raw = openRaw(door.port, head('POST', devicePath, tok));
    await until(() => raw.received().includes('Invalid JSON body'), { what: '400' });
    raw.destroy();
  });

  test('a token sent twice is one token of both, which the worker will not know', async () => {
    const raw = openRaw(
      door.port,
      `${head('POST', devicePath, tok, 'X-Provision-Token: b', 'Content-Length: 2')}{}`,
    );
    await until(() => raw.received().includes('accepted'), { what: '202' });
    expect(door.taken[0]?.token).toBe('tok, b');
    raw.destroy();
  });

  test('a path that climbs is taken as it is written, and refused', async () => {
    const raw = openRaw(
      door.port,
      head('POST', '/ingest/v1/tenant/../device/d/telemetry', tok, 'Content-Length: 0'),
    );
    await until(() => raw.received().includes('Invalid tenant_id'), { what: '400' });
    raw.destroy();
  });
});

describe('the connection', () => {
  test('is kept, request after request', async () => {
    const raw = openRaw(door.port, whole);
    for (let count = 1; count <= 3; count++) {
      await until(() => raw.received().split('{"status":"accepted"}').length === count + 1, {
        what: 'next 202',
      });
      raw.send(whole);
    }
    raw.destroy();
  });

  test('pipelined requests are answered in order or the connection is closed: never one in the place of another', async () => {
    const second = `${head('POST', devicePath, 'Content-Length: 2')}{}`;
    const raw = openRaw(door.port, whole + second);
    await until(() => raw.isClosed() || raw.received().includes('401 Unauthorized'), { what: 'the outcome' });
    expect(['', '202,401']).toContain(
      [...raw.received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, s]) => s).join(),
    );
    raw.destroy();
  });

  test('a client that closes its half may get no answer, and the door goes on', async () => {
    const raw = openRaw(door.port, whole);
    raw.halfClose();
    expect(['', '202 Accepted']).toContain((await raw.closed).slice(9, 21));
    expect((await door.post(devicePath, '{}')).status).toBe(202);
  });

  test('a client that goes away in the middle of its body leaves nothing behind', async () => {
    openRaw(door.port, `${head('POST', devicePath, tok, 'Content-Length: 100')}{"a":`).destroy();
    const cut = openRaw(door.port, `${head('POST', devicePath, tok, 'Content-Length: 100')}{"a":`);
    await Bun.sleep(20);
    cut.destroy();
    await until(
      async () =>
        (await door.registry.getSingleMetricAsString('tributary_http_requests_in_flight')).endsWith(' 0'),
      {
        what: 'nothing in flight',
      },
    );
    expect(door.taken).toEqual([]);
    expect(door.logged).toEqual([]);
  });
});
