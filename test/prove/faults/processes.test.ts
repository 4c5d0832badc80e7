import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { complaintsOf } from '../../../src/prove/faults/processes.ts';
import { saysReady } from '../../../src/prove/stack/ready.ts';
import { tempFolder } from '../../harness/temp-folder.ts';

const sigterm = { code: null, signal: 'SIGTERM', tookMs: 5 };

test('a role that was ended by our own SIGTERM before it was ready has ended in order', () => {
  expect(complaintsOf('gateway-1', { ...sigterm, wasReady: false })).toEqual([]);
  expect(complaintsOf('gateway-1', { code: 0, signal: null, tookMs: 5, wasReady: false })).toEqual([]);
});

test('one that was ready, one that ends with another code or signal, and one that takes long have not', () => {
  const ended = (how: string) => [`gateway-1 ended with ${how} when asked to stop`];
  expect(complaintsOf('gateway-1', { ...sigterm, wasReady: true })).toEqual(ended('SIGTERM'));
  expect(complaintsOf('gateway-1', { ...sigterm, signal: 'SIGKILL', wasReady: false })).toEqual(
    ended('SIGKILL'),
  );
  expect(complaintsOf('gateway-1', { code: 1, signal: null, tookMs: 5, wasReady: false })).toEqual(
    ended('1'),
  );
  expect(complaintsOf('gateway-1', { code: 0, signal: null, tookMs: 15_001, wasReady: true })).toEqual([
    'gateway-1 took 15001 ms to stop',
  ]);
});

test('the log tells which process was ready', () => {
  using folder = tempFolder('log');
  const logFile = join(folder.path, 'gateway-1.log');
  writeFileSync(logFile, '');
  const log = pino({ base: { pid: 4321 } }, pino.destination({ dest: logFile, sync: true }));
  expect(saysReady(logFile, 4321)).toBe(false);
  log.info({ event: 'ready', port: 1 }, 'gateway ready on port 1');
  expect([saysReady(logFile, 4321), saysReady(logFile, 432)]).toEqual([true, false]);
});
