import { expect, test } from 'bun:test';
import { createServer } from 'node:net';
import { findFreePort, ownPortRange, requireFreePort } from '../../../src/roles/up/ports.ts';

async function listenOnAnyPort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  };
}

test('a taken port is one sentence that names the port and its setting', async () => {
  await using taken = await listenOnAnyPort();
  const door = { port: taken.port, variable: 'TRIBUTARY_HTTP_PORT', flag: '--http-port' };
  await expect(requireFreePort(door, '127.0.0.1')).rejects.toThrow(
    `Port ${taken.port} is taken: stop what listens there, or set TRIBUTARY_HTTP_PORT (--http-port) to a free port.`,
  );
});

test('an address that is not ours is said to be TRIBUTARY_BIND', async () => {
  const door = { port: 20_001, variable: 'TRIBUTARY_HTTP_PORT', flag: '--http-port' };
  await expect(requireFreePort(door, '203.0.113.7')).rejects.toThrow(/EADDRNOTAVAIL.*check TRIBUTARY_BIND/);
});

test('the remembered port is used again when it is free, and another one when it is not', async () => {
  const port = await findFreePort({ random: Math.random });
  expect(await findFreePort({ preferred: port, random: Math.random })).toBe(port);
  await using taken = await listenOnAnyPort();
  const other = await findFreePort({ preferred: taken.port, random: Math.random });
  expect(other).toBeGreaterThanOrEqual(ownPortRange.first);
  expect(other).toBeLessThan(ownPortRange.last);
});
