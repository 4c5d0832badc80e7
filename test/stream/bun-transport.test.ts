import { expect, test } from 'bun:test';
import { connectNats } from '../../src/stream/connection.ts';
import { startTestNats } from '../harness/nats.ts';
import { until } from '../harness/until.ts';
import { bytes, silent } from './stream-fixture.ts';

/** A server of one line, which is all that a client sees before it decides. */
function startServer(line: string, after: (socket: { write(text: string): number; end(): void }) => void) {
  return Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open: (socket) => void socket.write(line),
      data: (socket) => after(socket),
    },
  });
}

const info = (fields: Record<string, unknown>) =>
  `INFO ${JSON.stringify({ server_id: 'x', version: '2.9.10', proto: 1, max_payload: 1024, ...fields })}\r\n`;

const attempt = (port: number) =>
  connectNats({ url: `nats://127.0.0.1:${port}`, name: 'x', log: silent }).then(
    () => 'connected',
    (error: unknown) => String(error),
  );

test('more than the kernel takes at once arrives whole and in order', async () => {
  await using nats = await startTestNats();
  const nc = await connectNats({ url: nats.url, name: 'x', log: silent });
  const sizes: number[] = [];
  nc.subscribe('big', { callback: (_, message) => void sizes.push(message.data.length) });
  const sent = Array.from({ length: 64 }, (_, index) => 500_000 + index);
  for (const size of sent) nc.publish('big', new Uint8Array(size));
  await until(() => sizes.length === sent.length, { what: 'all 32 MB' });
  expect(sizes).toEqual(sent);
  await nc.close();
});

test('closing sends what was published before', async () => {
  await using nats = await startTestNats();
  const listener = await connectNats({ url: nats.url, name: 'x', log: silent });
  let heard = 0;
  listener.subscribe('last', { callback: () => void heard++ });
  await listener.flush();
  const nc = await connectNats({ url: nats.url, name: 'y', log: silent });
  for (let n = 0; n < 100; n++) nc.publish('last', bytes('words'));
  await nc.drain();
  await until(() => heard === 100, { what: 'the last words' });
  await listener.close();
});

test('a reason that the server gives before it hangs up is told', async () => {
  const server = startServer(info({}), (socket) => {
    socket.write("-ERR 'Authorization Violation'\r\n");
    socket.end();
  });
  expect(await attempt(server.port)).toContain('Authorization Violation');
  server.stop(true);
});

test('what listens there and is no NATS server is said in a sentence', async () => {
  const server = startServer('SSH-2.0-OpenSSH\r\n', () => undefined);
  expect(await attempt(server.port)).toContain('is no NATS server');
  server.stop(true);
});

test('a server that encrypts is not spoken to in the clear', async () => {
  const heard: string[] = [];
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open: (socket) => void socket.write(info({ tls_required: true })),
      data: (socket, chunk) => {
        heard.push(chunk.toString('latin1'));
        socket.end();
      },
    },
  });
  expect(await attempt(server.port)).toContain('Cannot reach NATS');
  // The client's own transport answers with a TLS hello (a record of type 22), never with CONNECT.
  expect(heard.length).toBeGreaterThan(0);
  for (const text of heard) expect(text.charCodeAt(0)).toBe(22);
  server.stop(true);
});
