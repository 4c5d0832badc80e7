import { expect, test } from 'bun:test';
import type { Server } from '@nats-io/nats-core';
import { paceRedials } from '../../src/stream/redial.ts';

const serverOf = (listen: string): Server => ({
  hostname: listen,
  port: 4222,
  listen,
  src: listen,
  tlsName: '',
  reconnects: 0,
  lastConnect: 0,
  gossiped: false,
  didConnect: true,
});

test('the first attempt is made at once, the next at the same server a pause later', () => {
  let nowMs = 1_000;
  const { reconnectToServer } = paceRedials({
    waitMs: 250,
    jitterMs: 100,
    clock: () => nowMs,
    random: () => 0.5,
  });
  const a = serverOf('a');
  expect(reconnectToServer([a], null)).toEqual({ server: a, delay: 0 });
  nowMs += 100;
  expect(reconnectToServer([a], null)).toEqual({ server: a, delay: 200 });
  nowMs += 10_000;
  expect(reconnectToServer([a], null)).toEqual({ server: a, delay: 0 });
  expect(reconnectToServer([], null)).toBeNull();
});

test('whichever server the client names first, the next attempt is at the one that was not dialled for longest', () => {
  let nowMs = 1_000;
  const { reconnectToServer } = paceRedials({
    waitMs: 250,
    jitterMs: 0,
    clock: () => nowMs,
    random: () => 0,
  });
  const [a, b, c] = [serverOf('a'), serverOf('b'), serverOf('c')];
  const next = () => reconnectToServer([a, b, c], null);
  expect(next()).toEqual({ server: a, delay: 0 });
  nowMs += 50;
  expect(next()).toEqual({ server: b, delay: 0 });
  nowMs += 50;
  expect(next()).toEqual({ server: c, delay: 0 });
  nowMs += 50;
  expect(next()).toEqual({ server: a, delay: 100 });
});
