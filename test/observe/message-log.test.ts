import { expect, test } from 'bun:test';
import pino from 'pino';
import { createMessageLog, messageLogDefaults } from '../../src/observe/message-log.ts';

function messageLog(level: string) {
  const lines: Record<string, unknown>[] = [];
  const time = { now: 0 };
  const log = pino({ level }, { write: (line) => lines.push(JSON.parse(line)) });
  return { log: createMessageLog(log, () => time.now), lines, time };
}

const limit = messageLogDefaults.linesPerSecond;

test('a line says which message it is about', () => {
  const { log, lines } = messageLog('info');
  log.tell('message_quarantined', () => ({ tenantId: 'acme', seq: 7, reason: 'TOKEN_INVALID' }));
  expect(lines).toEqual([
    expect.objectContaining({
      event: 'message_quarantined',
      tenantId: 'acme',
      seq: 7,
      reason: 'TOKEN_INVALID',
    }),
  ]);
});

test('of a flood only so many lines a second are written, and the next one says how many were not', () => {
  const { log, lines, time } = messageLog('info');
  let asked = 0;
  const flood = () => {
    asked += 1;
    return { seq: asked };
  };
  for (let n = 0; n < limit + 30; n += 1) log.tell('message_refused', flood);
  expect([lines.length, asked]).toEqual([limit, limit]);
  log.tell('message_duplicate', () => ({ seq: 1 }));
  expect(lines.at(-1)).toMatchObject({ event: 'message_duplicate', seq: 1 });
  time.now = 1_000;
  log.tell('message_refused', flood);
  expect(lines.at(-1)).toMatchObject({ event: 'message_refused', unsaid: 30 });
  log.tell('message_refused', flood);
  expect(lines.at(-1)).not.toHaveProperty('unsaid');
});

test('at the level debug all are written', () => {
  const { log, lines } = messageLog('debug');
  for (let n = 0; n < limit + 30; n += 1) log.tell('message_refused', () => ({ seq: n }));
  expect(lines).toHaveLength(limit + 30);
});
