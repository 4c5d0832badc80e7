import { expect, test } from 'bun:test';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { startProxy } from '../../../src/prove/stack/proxy.ts';
import { until } from '../../harness/until.ts';

/** Answers what it hears. */
async function startEcho() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function client(port: number) {
  const socket = connect({ port, host: '127.0.0.1' });
  const state = { heard: '', closed: false };
  socket.on('data', (data) => {
    state.heard += data.toString();
  });
  socket.on('close', () => {
    state.closed = true;
  });
  socket.on('error', () => {});
  return { socket, state, [Symbol.dispose]: () => void socket.destroy() };
}

test('a cut ends connections on both sides, and new ones are made', async () => {
  using echo = await startEcho();
  const proxy = await startProxy({ port: echo.port });
  using first = client(proxy.port);
  first.socket.write('a');
  await until(() => first.state.heard === 'a', { what: 'an answer through the proxy' });
  proxy.cut();
  await until(() => first.state.closed && echo.sockets.size === 0, { what: 'both sides are told' });
  using second = client(proxy.port);
  second.socket.write('b');
  await until(() => second.state.heard === 'b', { what: 'an answer through a new connection' });
  await proxy.close();
});

test('an interrupted connection holds back what is sent, a new one too, and lets all of it pass when restored', async () => {
  using echo = await startEcho();
  const proxy = await startProxy({ port: echo.port });
  using first = client(proxy.port);
  first.socket.write('a');
  await until(() => first.state.heard === 'a', { what: 'an answer through the proxy' });
  proxy.interrupt();
  first.socket.write('b');
  using second = client(proxy.port);
  second.socket.write('c');
  // A connection past the proxy has its answer: nothing was merely slow.
  using past = client(echo.port);
  past.socket.write('d');
  await until(() => past.state.heard === 'd' && echo.sockets.size === 3, {
    what: 'an answer past the proxy',
  });
  expect([first.state, second.state]).toEqual([
    { heard: 'a', closed: false },
    { heard: '', closed: false },
  ]);
  proxy.restore();
  await until(() => first.state.heard === 'ab' && second.state.heard === 'c', { what: 'what was held back' });
  await proxy.close();
});

test('a half-open connection swallows everything and tells nobody, while new ones work', async () => {
  using echo = await startEcho();
  const proxy = await startProxy({ port: echo.port });
  using first = client(proxy.port);
  first.socket.write('a');
  await until(() => first.state.heard === 'a', { what: 'an answer through the proxy' });
  proxy.halfOpen();
  first.socket.write('lost');
  using second = client(proxy.port);
  second.socket.write('b');
  await until(() => second.state.heard === 'b', { what: 'an answer through a new connection' });
  expect(first.state).toEqual({ heard: 'a', closed: false });
  expect(echo.sockets.size).toBe(2);
  await proxy.close();
});
