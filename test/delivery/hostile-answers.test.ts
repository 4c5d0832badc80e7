import { expect, test } from 'bun:test';
import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createAddressGuard, resolveWithSystem } from '../../src/delivery/address/guarded-lookup.ts';
import { parseCidrs } from '../../src/delivery/address/ranges.ts';
import { maxAnswerBytes, sendRequest } from '../../src/delivery/webhook/send-request.ts';
import { judgeAnswer } from '../../src/delivery/webhook/webhook-sender.ts';
import { until } from '../harness/until.ts';

const guard = createAddressGuard(parseCidrs('127.0.0.0/8'), resolveWithSystem);

/** A destination that answers in bytes. */
async function startHostile(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  let closed = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      closed += 1;
      sockets.delete(socket);
    });
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    send: (timeoutMs: number) =>
      sendRequest({
        url: new URL(`http://127.0.0.1:${port}/`),
        method: 'POST',
        headers: {},
        body: Buffer.from('{}'),
        timeoutMs,
        guard,
      }),
    closed: () => closed,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Byte by byte, for as long as anybody listens. */
function trickle(socket: Socket, head: string): void {
  socket.write(head);
  const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write('x')), 10);
}

/** As fast as it is read. */
function flood(socket: Socket, head: string, part: string): void {
  const pour = () => {
    while (!socket.destroyed) {
      if (socket.write(part)) continue;
      socket.once('drain', pour);
      return;
    }
  };
  socket.write(head);
  pour();
}

test('headers that come byte by byte end with the time for the whole answer', async () => {
  using hostile = await startHostile((socket) => trickle(socket, 'HTTP/1.1 200 OK\r\nX-Slow: '));
  await expect(hostile.send(200)).rejects.toThrow('no answer within 200 ms');
  await until(() => hostile.closed() === 1, { what: 'the connection is closed' });
});

test('a body that comes byte by byte ends with the same time, and the status counts all the same', async () => {
  const head = 'HTTP/1.1 410 Gone\r\nContent-Length: 100000\r\n\r\n';
  using hostile = await startHostile((socket) => trickle(socket, head));
  const answer = await hostile.send(300);
  expect(judgeAnswer(answer, 0).kind).toBe('gone');
  expect(answer.body).toMatch(/^x+$/);
  await until(() => hostile.closed() === 1, { what: 'the connection is closed' });
});

test('the slow body of a 2xx holds no connection for the whole time, of which nobody counts how many there are', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n';
  using hostile = await startHostile((socket) => trickle(socket, head));
  const answers = await Promise.all(Array.from({ length: 20 }, () => hostile.send(600_000)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  await until(() => hostile.closed() === 20, { what: 'the connections are closed' });
});

test.each([
  ['many headers', 'HTTP/1.1 200 OK\r\n', `X-Header: ${'y'.repeat(1_000)}\r\n`, /overflow/i],
  ['a header without end', 'HTTP/1.1 200 OK\r\nX-Header: ', 'y'.repeat(65_536), /overflow/i],
  ['answers 1xx without end', '', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100), /answers 1xx/],
] as const)('%s: refused before much is read', async (_, head, part, error) => {
  using hostile = await startHostile((socket) => flood(socket, head, part));
  await expect(hostile.send(30_000)).rejects.toThrow(error);
  await until(() => hostile.closed() === 1, { what: 'the connection is closed' });
});

test.each([200, 500])('a gzip bomb with a %d is not inflated', async (status) => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
  const head = `HTTP/1.1 ${status} x\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`;
  using hostile = await startHostile((socket) => {
    socket.write(head);
    socket.write(bomb);
  });
  const answer = await hostile.send(30_000);
  expect(answer.status).toBe(status);
  expect(answer.body.length).toBeLessThanOrEqual(Math.min(bomb.length, maxAnswerBytes));
  if (status === 500) expect(answer.body.codePointAt(0)).toBe(0x1f);
});

test.each([
  ['no HTTP', 'hello\r\n\r\n'],
  ['a status that is none', 'HTTP/1.1 9999 x\r\n\r\n'],
  ['nothing', ''],
])('%s is an error of the connection', async (_, text) => {
  using hostile = await startHostile((socket) => void socket.end(text));
  await expect(hostile.send(10_000)).rejects.toThrow();
});
