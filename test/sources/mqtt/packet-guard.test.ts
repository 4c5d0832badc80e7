import { expect, test } from 'bun:test';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PacketGuard } from '../../../src/sources/mqtt/packet-guard.ts';
import { PartialPackets } from '../../../src/sources/mqtt/partial-packets.ts';
import { PublishWindow } from '../../../src/sources/mqtt/publish-window.ts';
import { until } from '../../harness/until.ts';
import { connectPacket, RawClient } from './raw-client.ts';

test('a flood of the smallest packets reaches the parser 64 at a time, and all of it in the end', async () => {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = new RawClient((server.address() as AddressInfo).port);
  const [socket] = await accepted;
  const refused: string[] = [];
  const guard = new PacketGuard({
    socket,
    limits: { maxPublishBytes: 1024, maxConnectBytes: 1024, maxSubscribeBytes: 1024 },
    maxUnacked: 64,
    window: new PublishWindow({ maxMessages: 100, maxBytes: 100_000 }),
    partials: new PartialPackets({ maxBytes: 100_000, timeoutMs: 30_000, clock: Date.now }),
    onPublish: () => undefined,
    onRelease: () => undefined,
    onRefused: (reason) => refused.push(reason),
  });
  const reads: number[] = [];
  let reading = true;
  guard.on('readable', () => {
    if (reading) reads.push((guard.read() as Buffer | null)?.length ?? 0);
  });
  client.send(connectPacket({}));
  await until(() => reads.length > 0, { what: 'CONNECT passed' });
  const connectBytes = reads.splice(0).reduce((sum, length) => sum + length, 0);
  expect(connectBytes).toBe(connectPacket({}).length);
  guard.open();

  // Who reads nothing is not given more than one portion.
  reading = false;
  const flood = Buffer.alloc(200_000);
  for (let at = 0; at < flood.length; at += 2) flood[at] = 0xc0;
  client.send(flood);
  await until(() => guard.readableLength > 0, { what: 'the first portion passed' });
  await until(() => socket.isPaused(), { what: 'the socket is not read further' });
  expect(guard.readableLength).toBe(128);

  reading = true;
  reads.push((guard.read() as Buffer).length);
  await until(() => reads.reduce((sum, length) => sum + length, 0) === flood.length, {
    what: 'all has passed',
  });
  expect(Math.max(...reads)).toBeLessThanOrEqual(128);
  expect(refused).toEqual([]);
  guard.destroy();
  client.socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
