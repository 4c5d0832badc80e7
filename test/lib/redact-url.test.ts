import { expect, test } from 'bun:test';
import { reportError } from '../../src/cli/report-error.ts';
import { redactUrls } from '../../src/lib/redact-url.ts';

test.each([
  ['postgres://u:secret@h:5432/d', 'postgres://u:***@h:5432/d'],
  ['at postgres://u:se:cr@et@h/d now', 'at postgres://u:***@h/d now'],
  ['nats://secret@h:4222', 'nats://***@h:4222'],
  ['nats://a:secret@h1,nats://b:secret@h2', 'nats://a:***@h1,nats://b:***@h2'],
  ['postgres://h/d?user=u&password=secret&ssl=1', 'postgres://h/d?user=u&password=***&ssl=1'],
  ['http://127.0.0.1:8080/ingest', 'http://127.0.0.1:8080/ingest'],
])('%s is shown as %s', (text, shown) => expect(redactUrls(text)).toBe(shown));

test('an error of whatever kind is reported without the passwords in it, its stack included', () => {
  const error = new Error('cannot reach postgres://u:secret@h/d');
  expect(reportError(error, { withStack: false })).toEqual({
    exitCode: 1,
    text: 'error: cannot reach postgres://u:***@h/d',
  });
  expect(reportError(error, { withStack: true }).text).not.toContain('secret');
  expect(
    reportError(new AggregateError([new Error('one'), new Error('two')]), { withStack: false }).text,
  ).toBe('error: one; two');
});
