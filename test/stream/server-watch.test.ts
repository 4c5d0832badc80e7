import { expect, test } from 'bun:test';
import { createServerWatch } from '../../src/stream/server-watch.ts';
import { silent } from './stream-fixture.ts';

function watched(url: string) {
  const state = { nowMs: 0, left: 0, closed: false };
  const watch = createServerWatch({
    nc: {
      reconnect: async () => void state.left++,
      isClosed: () => state.closed,
      isDraining: () => false,
      getServer: () => 'a:4222',
    },
    url,
    log: silent,
    clock: () => state.nowMs,
  });
  return {
    state,
    watch,
    /** JetStream answers nothing for so long. @returns how often the server was left meanwhile */
    unwellFor: (ms: number) => {
      const before = state.left;
      for (const end = state.nowMs + ms; state.nowMs < end; state.nowMs += 100) watch.unwell();
      return state.left - before;
    },
  };
}

test('a server that serves nothing for eight seconds is left, and the next one if that one does not either, later each time', () => {
  const { unwellFor } = watched('nats://a:4222,nats://b:4222');
  expect(unwellFor(8_000)).toBe(0);
  expect(unwellFor(200)).toBe(1);
  expect(unwellFor(15_500)).toBe(0);
  expect(unwellFor(1_000)).toBe(1);
  expect(unwellFor(600_000)).toBeLessThan(12);
});

test('what is served in between begins the time anew, and shortens it again', () => {
  const { unwellFor, watch } = watched('nats://a:4222,nats://b:4222');
  unwellFor(7_900);
  watch.well();
  expect(unwellFor(7_900)).toBe(0);
  expect(unwellFor(60_000)).toBeGreaterThan(1);
  watch.well();
  expect(unwellFor(8_200)).toBe(1);
});

test('the only server is never left, and a closed connection is left alone', () => {
  expect(watched('nats://a:4222').unwellFor(60_000)).toBe(0);
  const { state, unwellFor } = watched('nats://a:4222,nats://b:4222');
  state.closed = true;
  expect(unwellFor(60_000)).toBe(0);
});
