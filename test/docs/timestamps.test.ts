import { expect, test } from 'bun:test';
import { parseExactJson } from '../../src/model/exact-json.ts';
import { parseTimestamp } from '../../src/model/timestamp.ts';
import { readDoc, tableRows } from './code-blocks.ts';

const doc = await readDoc('docs/reference/timestamps.md');
const arrivedAtMs = Date.parse('2026-01-01T00:00:00Z');

/** Rows whose first cell is a JSON number, string or boolean. */
const rows = tableRows(doc, /^(?:\d[\de]*(?:\.\d+)?|".*"|true)$/);
const readAs = rows.filter(([, second = '']) => second.endsWith('Z'));
const refused = rows.filter(([, second = '']) => second.includes('TIMESTAMP_INVALID'));

test('every row is looked at', () => {
  expect([readAs.length, refused.length]).toEqual([13, 7]);
});

test.each(readAs)('%s is read as %s', (ts, time = '') => {
  const parsed = parseTimestamp(parseExactJson(ts ?? ''), arrivedAtMs);
  const wholeSecondUs = Date.parse(`${time.slice(0, 19)}Z`) * 1000;
  expect(parsed).toEqual({ ok: true, timeUs: wholeSecondUs + Number(time.slice(20, 26)) });
});

test.each(refused)('%s is refused', (ts) => {
  expect(parseTimestamp(parseExactJson(ts ?? ''), arrivedAtMs)).toMatchObject({ ok: false });
});
