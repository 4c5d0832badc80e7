import { expect, test } from 'bun:test';
import { createStreamPlaces } from '../../src/console/access/stream-places.ts';
import { eventStream, type LiveSink } from '../../src/console/event-stream.ts';
import { until } from '../harness/until.ts';

function open(
  options: { maxBufferedBytes?: number; beatMs?: number; stillAllowed?: () => Promise<boolean> } = {},
) {
  const changes: number[] = [];
  let sink: LiveSink = { send: () => undefined };
  let stopped = 0;
  const gone = new AbortController();
  const response = eventStream({
    stillAllowed: () => Promise.resolve(true),
    beatMs: 60_000,
    ...options,
    signals: [gone.signal],
    onOpen: (change) => changes.push(change),
    start: (to) => {
      sink = to;
      return () => {
        stopped += 1;
      };
    },
  });
  return { response, gone, changes, send: (data: string) => sink.send('x', data), stopped: () => stopped };
}

test('a client that reads too slowly is told how much it missed, and holds nothing up', async () => {
  const { response, send, gone, stopped, changes } = open({ maxBufferedBytes: 60 });
  for (let n = 0; n < 100; n += 1) send(String(n));
  const reader = response.body?.getReader();
  const read = async () => new TextDecoder().decode((await reader?.read())?.value as Uint8Array | undefined);
  const first = [await read(), await read(), await read(), await read()].join('');
  expect(first).toBe(`retry: 2000\n\n${[0, 1, 2].map((n) => `event: x\ndata: ${n}\n\n`).join('')}`);
  send('last');
  expect(await read()).toBe('event: dropped\ndata: {"count":97}\n\n');
  expect(await read()).toBe('event: x\ndata: last\n\n');
  gone.abort();
  expect((await reader?.read())?.done).toBe(true);
  send('after the end');
  expect([stopped(), changes]).toEqual([1, [1, -1]]);
});

test('what waits for a client that does not read is bounded in bytes, however large its events are', async () => {
  const { response, send, gone } = open();
  const event = 'x'.repeat(100_000);
  for (let n = 0; n < 100; n += 1) send(event);
  gone.abort();
  let waiting = 0;
  for await (const chunk of response.body ?? []) waiting += chunk.byteLength;
  expect(waiting).toBeGreaterThan(event.length);
  expect(waiting).toBeLessThan(700_000);
});

test('a client that goes away ends what was sent to it', async () => {
  const { response, stopped } = open();
  await response.body?.cancel();
  expect(stopped()).toBe(1);
});

test('a stream does not outlive its key, and beats while it is silent', async () => {
  let isAllowed = true;
  const { response, stopped } = open({ beatMs: 5, stillAllowed: () => Promise.resolve(isAllowed) });
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk);
  })();
  await until(() => text.includes(': beat'), { what: 'a beat' });
  expect(stopped()).toBe(0);
  isAllowed = false;
  await reading;
  expect(stopped()).toBe(1);
});

test('a key has so many streams open at once, and all keys together so many', () => {
  const places = createStreamPlaces({ perKey: 2, total: 3 });
  const leave = [places.take('a'), places.take('a')];
  expect(() => places.take('a')).toThrow('2 live streams of this key are open already');
  leave.push(places.take('b'));
  expect(() => places.take('b')).toThrow('3 live streams are open already');
  for (const each of leave) each();
  places.take('a');
  places.take('a');
  places.take('b');
});
