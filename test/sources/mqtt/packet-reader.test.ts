import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { PacketReader } from '../../../src/sources/mqtt/packet-reader.ts';
import { frame, publishPacket } from './raw-client.ts';

const limits = { maxPublishBytes: 100_000, maxConnectBytes: 1024, maxSubscribeBytes: 1024 };

/** Everything the reader gives for bytes that come in these pieces, as copies. */
function readAll(pieces: readonly Buffer[]): string[] {
  const reader = new PacketReader(limits);
  const packets: { bytes: Buffer; text: string }[] = [];
  for (const piece of pieces) {
    reader.append(piece);
    for (let packet = reader.first(); typeof packet === 'object'; packet = reader.first()) {
      const bytes = packet.bytes.subarray(packet.start, packet.end);
      packets.push({ bytes, text: bytes.toString('hex') });
      reader.skip(bytes.length);
    }
  }
  expect(reader.length).toBe(0);
  // What was handed out is not overwritten by what came later.
  for (const { bytes, text } of packets) expect(bytes.toString('hex')).toBe(text);
  return packets.map(({ text }) => text);
}

test('however the bytes are cut, the same packets come out', () => {
  const packet = fc.oneof(
    fc.constantFrom(Buffer.from([0xc0, 0]), Buffer.from([0x62, 2, 0, 3])),
    fc.uint8Array({ maxLength: 300 }).map((payload) => publishPacket('a', Buffer.from(payload), 1, 2)),
  );
  fc.assert(
    fc.property(
      fc.array(packet, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 200 })),
      (packets, cuts) => {
        const bytes = Buffer.concat(packets);
        const pieces: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(Buffer.from(bytes.subarray(at, at + cut)));
          at += cut;
        }
        pieces.push(Buffer.from(bytes.subarray(at)));
        expect(readAll(pieces)).toEqual(packets.map((each) => each.toString('hex')));
      },
    ),
  );
});

test('single bytes of a large packet are put together without copying it for each', () => {
  const large = frame(0x30, Buffer.alloc(100_000, 'x'));
  const reader = new PacketReader(limits);
  for (const byte of large) reader.append(Buffer.from([byte]));
  const packet = reader.first();
  expect(typeof packet === 'object' && packet.end - packet.start).toBe(large.length);
});

test('a header that announces too much is refused before its body is there', () => {
  const reader = new PacketReader(limits);
  reader.append(Buffer.from([0x30, 0xa1, 0x8d, 0x06]));
  expect(reader.first()).toBe('packet_too_large');
});
