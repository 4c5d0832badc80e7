import { afterAll, beforeAll, expect, test } from 'bun:test';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import {
  AddressRefusedError,
  createAddressGuard,
  type Resolve,
  resolveWithSystem,
} from '../../src/delivery/address/guarded-lookup.ts';
import { parseCidrs, refuseAddress } from '../../src/delivery/address/ranges.ts';
import { type Answer, maxAnswerBytes, sendRequest } from '../../src/delivery/webhook/send-request.ts';
import { rejectionOf } from '../store/with-database.ts';
import { literalVectors, resolvedVectors } from './address-vectors.ts';

/** Listens on every address of this machine: whatever connects to it is counted. */
let trap: Server;
let trapPort = 0;
let trapped = 0;

beforeAll(async () => {
  trap = createServer((socket) => {
    trapped += 1;
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  });
  trap.listen(0, '::');
  await once(trap, 'listening');
  trapPort = portOf(trap);
});

afterAll(() => void trap.close());

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}

function send(url: string, allowed = '', resolve: Resolve = resolveWithSystem): Promise<Answer> {
  return sendRequest({
    url: new URL(url),
    method: 'POST',
    headers: {},
    body: Buffer.from('{}'),
    timeoutMs: 2_000,
    guard: createAddressGuard(parseCidrs(allowed), resolve),
  });
}

const resolvesTo =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

test('the trap would see a connection', async () => {
  await send(`http://127.0.0.1:${trapPort}/`, '127.0.0.0/8');
  await send(`http://[::1]:${trapPort}/`, '::1/128');
  expect(trapped).toBe(2);
  trapped = 0;
});

test('no spelling of an address that is not public is connected to', async () => {
  const outcomes = await Promise.all(
    literalVectors.map(async (vector) => {
      const url = vector.replace('PORT', String(trapPort));
      // What is no URL gets nowhere either.
      if (!URL.canParse(url)) return 'no URL';
      const error = await rejectionOf(send(url));
      // Not every system knows `localhost.`.
      if (error instanceof Error && 'code' in error && error.code === 'ENOTFOUND') return 'no URL';
      return error instanceof AddressRefusedError ? 'refused' : `${vector}: ${error}`;
    }),
  );
  expect(literalVectors.length).toBeGreaterThanOrEqual(50);
  expect(outcomes.filter((outcome) => outcome !== 'refused' && outcome !== 'no URL')).toEqual([]);
  expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThanOrEqual(50);
  expect(trapped).toBe(0);
});

test('no name that resolves to such an address is connected to, alone or beside others', async () => {
  for (const address of resolvedVectors) {
    for (const resolve of [resolvesTo(address), resolvesTo('127.0.0.2', address)]) {
      const error = await rejectionOf(send(`http://hook.example:${trapPort}/`, '127.0.0.2/32', resolve));
      expect(error).toBeInstanceOf(AddressRefusedError);
    }
  }
  expect(trapped).toBe(0);
});

test('a name is resolved once for each connection, so one that changes its mind gains nothing', async () => {
  const seen: string[] = [];
  const good = Bun.serve({
    hostname: '127.0.0.2',
    port: 0,
    fetch: (request) => {
      seen.push(new URL(request.url).pathname);
      return new Response('ok');
    },
  });
  try {
    let asked = 0;
    const rebinding: Resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }];
    };
    const allowed = '127.0.0.2/32';
    await send(`http://hook.example:${good.port}/a`, allowed, rebinding);
    expect({ asked, seen }).toEqual({ asked: 1, seen: ['/a'] });
    const error = await rejectionOf(send(`http://hook.example:${trapPort}/b`, allowed, rebinding));
    expect(error).toBeInstanceOf(AddressRefusedError);
    expect({ seen, trapped }).toEqual({ seen: ['/a'], trapped: 0 });
  } finally {
    await good.stop(true);
  }
});

test('a redirect is an answer and is not followed', async () => {
  const targets = [
    'http://169.254.169.254/latest/meta-data/',
    `http://127.0.0.1:${trapPort}/`,
    `//127.0.0.1:${trapPort}/`,
  ];
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of targets) {
      using server = serving(() => new Response(null, { status, headers: { location } }));
      const answer = await send(
        `http://hook.example:${server.port}/`,
        '127.0.0.2/32',
        resolvesTo('127.0.0.2'),
      );
      expect(answer.status).toBe(status);
    }
  }
  expect(trapped).toBe(0);
});

test('no more than 64 KiB of an answer are read', async () => {
  let sent = 0;
  const endless = () => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(16 * 1024).fill(97));
        if (sent === 10_000) controller.close();
      },
    });
    return new Response(body, { status: 500 });
  };
  using server = serving(endless);
  const { status, body } = await send(`http://127.0.0.2:${server.port}/`, '127.0.0.2/32');
  expect({ status, length: body.length }).toEqual({ status: 500, length: maxAnswerBytes });
  // What the sockets held, too.
  expect(sent * 16).toBeLessThan(16 * 1024);
});

test('public addresses pass, and what lies next to the ranges that do not', () => {
  const pass = ['8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '169.253.0.1'];
  const six = ['2606:4700::1', '2a00:1450:4001:800::200e', '2001:200::1', '2003::1'];
  for (const address of [...pass, ...six]) expect(refuseAddress(address, [])).toBeUndefined();
});

test('a CIDR allows what it holds and nothing else, and a bad one is named', () => {
  const allowed = parseCidrs('10.1.0.0/16, fd00:1::/32');
  expect(refuseAddress('10.1.2.3', allowed)).toBeUndefined();
  expect(refuseAddress('fd00:1::5', allowed)).toBeUndefined();
  for (const address of ['10.2.0.1', 'fd00:2::1', '::ffff:10.1.2.3', '::ffff:a01:203']) {
    expect(refuseAddress(address, allowed)).toBeString();
  }
  for (const bad of [
    '10.0.0.0',
    '10/8',
    '10.0.0.0/33',
    'localhost/8',
    '::/129',
    '10.0.0.0/8;::/0',
    '0x0a.0.0.0/8',
  ]) {
    expect(() => parseCidrs(bad)).toThrow(JSON.stringify(bad));
  }
});

function serving(answer: () => Response): { readonly port: number; [Symbol.dispose](): void } {
  const server = Bun.serve({ hostname: '127.0.0.2', port: 0, fetch: answer });
  return { port: server.port ?? 0, [Symbol.dispose]: () => void server.stop(true) };
}
