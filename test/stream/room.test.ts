import { expect, test } from 'bun:test';
import { StreamRoom } from '../../src/stream/room.ts';

const none = new Map<string, number>();

test('there is room before the first look, and after it up to the limits', () => {
  const room = new StreamRoom({ maxBytes: 10_000, maxPerTenant: 3 });
  for (let i = 0; i < 5; i += 1) expect(room.take('telemetry.a', 10_000)).toBeUndefined();
  room.lookBegins();
  room.lookEnds({ bytes: 9_000, perSubject: new Map([['telemetry.a', 2]]) });
  expect(room.take('telemetry.a', 100)).toBeUndefined();
  expect(room.take('telemetry.a', 100)).toBe('tenant_full');
  expect(room.take('telemetry.b', 900)).toBe('stream_full');
  expect(room.take('telemetry.b', 100)).toBeUndefined();
});

test('what was taken before a look began is in its answer, what came after is added', () => {
  const room = new StreamRoom({ maxBytes: 1e9, maxPerTenant: 3 });
  room.lookBegins();
  room.lookEnds({ bytes: 0, perSubject: none });
  expect(room.take('telemetry.a', 1)).toBeUndefined();
  room.lookBegins();
  expect(room.take('telemetry.a', 1)).toBeUndefined();
  // While the look is under way both count.
  expect(room.take('telemetry.a', 1)).toBeUndefined();
  expect(room.take('telemetry.a', 1)).toBe('tenant_full');
  room.lookEnds({ bytes: 0, perSubject: new Map([['telemetry.a', 0]]) });
  expect(room.take('telemetry.a', 1)).toBeUndefined();
  expect(room.take('telemetry.a', 1)).toBe('tenant_full');
});

test('a look that failed forgets nothing', () => {
  const room = new StreamRoom({ maxBytes: 1e9, maxPerTenant: 2 });
  room.lookBegins();
  room.lookEnds({ bytes: 0, perSubject: none });
  expect(room.take('telemetry.a', 1)).toBeUndefined();
  room.lookBegins();
  expect(room.take('telemetry.a', 1)).toBeUndefined();
  room.lookFailed();
  expect(room.take('telemetry.a', 1)).toBe('tenant_full');
});
