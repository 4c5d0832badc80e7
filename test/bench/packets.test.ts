import { expect, test } from 'bun:test';
import { deviceAt, drawMessages, tokenHash } from '../../bench/load/fleet.ts';
import { readAnswer } from '../../bench/load/http-connection.ts';
import { batchRequest, singleRequest } from '../../bench/load/http-requests.ts';
import { AckReader, publishPacket } from '../../bench/load/mqtt-packets.ts';
import { usageOf } from '../../bench/measure/process-usage.ts';
import { hashToken } from '../../src/model/token.ts';

const fleet = { devices: 50, tenants: 3, seed: 7 };

test('every process of a run draws the same messages', () => {
  expect(drawMessages(fleet, 20)).toEqual(drawMessages(fleet, 20));
  expect(drawMessages(fleet, 20)).not.toEqual(drawMessages({ ...fleet, seed: 8 }, 20));
  expect(tokenHash(5)).toEqual(hashToken(deviceAt(fleet, 5).token));
});

test('requests announce exactly the bytes they carry', () => {
  const messages = drawMessages(fleet, 100);
  for (const request of [...messages.map(singleRequest), batchRequest(messages)]) {
    const [head = '', body = ''] = request.toString().split('\r\n\r\n');
    expect(/Content-Length: (\d+)/.exec(head)?.[1]).toBe(String(Buffer.byteLength(body)));
    JSON.parse(body);
  }
});

test('an answer is read once it is whole, however it is cut', () => {
  const answer = Buffer.from('HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello');
  for (let end = 0; end < answer.length; end += 1)
    expect(readAnswer(answer.subarray(0, end))).toBeUndefined();
  expect(readAnswer(answer)).toEqual({ status: 202, body: Buffer.from('hello') });
  expect(() => readAnswer(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'))).toThrow(
    /chunks/,
  );
});

test('a PUBLISH has its id where it is written, and PUBACKs are counted over cut packets', () => {
  const [message] = drawMessages(fleet, 1);
  if (message === undefined) throw new Error('nothing was drawn');
  const { bytes, idOffset } = publishPacket(message);
  expect(bytes.subarray(idOffset + 2).toString()).toBe(message.body);
  const reader = new AckReader();
  const acks = Buffer.from([0x20, 2, 0, 0, 0x40, 2, 0, 1, 0x40, 2, 0, 2]);
  expect(reader.read(acks.subarray(0, 7))).toEqual({ connacks: 1, pubacks: 0, refused: false });
  expect(reader.read(acks.subarray(7))).toEqual({ connacks: 0, pubacks: 2, refused: false });
  expect(reader.read(Buffer.from([0x20, 2, 0, 5])).refused).toBe(true);
});

test('processor time and memory of a process are read from the kernel', () => {
  const before = usageOf(process.pid);
  let after = before;
  while (after.cpuUs === before.cpuUs) after = usageOf(process.pid);
  expect(after.cpuUs).toBeGreaterThan(before.cpuUs);
  expect(before.rssBytes).toBeGreaterThan(10 * 1024 ** 2);
  expect(() => usageOf(2 ** 30)).toThrow(/is gone/);
});
