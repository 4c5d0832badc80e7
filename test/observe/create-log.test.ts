import { expect, test } from 'bun:test';
import { createLog } from '../../src/observe/create-log.ts';

function logged(error: unknown): Record<string, unknown> {
  let line = '';
  const log = createLog({ level: 'info', destination: { write: (text) => (line = text) } });
  log.warn({ err: error }, 'it failed');
  return JSON.parse(line).err;
}

test('an error is logged with its words, code and cause, without what a driver hung on it', () => {
  const cause = new Error('socket closed');
  const error = Object.assign(new Error('lost', { cause }), { code: '57P01', client: { secretKey: 8_398 } });
  const err = logged(error);
  expect(err).toMatchObject({
    type: 'Error',
    message: 'lost',
    code: '57P01',
    cause: { message: 'socket closed' },
  });
  expect(Object.keys(err).sort()).toEqual(['cause', 'code', 'message', 'stack', 'type']);
});

test('a password in an address that an error names is not logged', () => {
  const err = logged(new Error('cannot reach postgres://app:hunter2@db/tributary'));
  expect(err.message).toBe('cannot reach postgres://app:***@db/tributary');
  expect(JSON.stringify(err)).not.toContain('hunter2');
});

test('what is thrown and no error is logged as its text', () => {
  expect(logged('no reason')).toEqual({ type: 'string', message: 'no reason' });
});
