import { expect, test } from 'bun:test';
import { EventEmitter } from 'node:events';
import { createSignals } from '../../src/cli/signals.ts';

function fakeProcess() {
  const exits: number[] = [];
  return Object.assign(new EventEmitter(), { exits, exit: (code: number) => exits.push(code) });
}

test('one Ctrl-C that arrives three times at once is one request to stop', () => {
  const source = fakeProcess();
  let nowMs = 0;
  const signals = createSignals(source, () => nowMs);
  const [stop, hurry] = [signals.stop(), signals.hurry()];
  source.emit('SIGINT');
  nowMs = 3;
  source.emit('SIGINT');
  source.emit('SIGINT');
  expect([stop.aborted, hurry.aborted, source.exits]).toEqual([true, false, []]);
});

test('a second Ctrl-C hastens, a third ends the process', () => {
  const source = fakeProcess();
  let nowMs = 0;
  const signals = createSignals(source, () => nowMs);
  const hurry = signals.hurry();
  source.emit('SIGINT');
  nowMs = 1_500;
  source.emit('SIGINT');
  expect([hurry.aborted, source.exits]).toEqual([true, []]);
  nowMs = 3_000;
  source.emit('SIGINT');
  expect(source.exits).toEqual([130]);
});

test('a second SIGTERM ends a process that knows no hurry', () => {
  const source = fakeProcess();
  let nowMs = 0;
  const signals = createSignals(source, () => nowMs);
  expect(signals.stop().aborted).toBe(false);
  source.emit('SIGTERM');
  nowMs = 1_500;
  source.emit('SIGTERM');
  expect(source.exits).toEqual([143]);
});
