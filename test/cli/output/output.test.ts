import { expect, test } from 'bun:test';
import { formatAgo, formatDuration, parseDuration, parseSince } from '../../../src/cli/output/duration.ts';
import { inTableWords, JsonText, toJson, toJsonLines } from '../../../src/cli/output/json.ts';
import { showJsonValue } from '../../../src/cli/output/json-value.ts';
import { describeLimit } from '../../../src/cli/output/limit.ts';
import { formatBytes, formatCount, formatRate } from '../../../src/cli/output/number.ts';
import { formatFields, formatTable } from '../../../src/cli/output/table.ts';

test.each([
  ['250ms', 250],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
])('the duration %s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(['', '5', 'h', '-5m', '1 day'])('%p is no duration', (text) =>
  expect(() => parseDuration(text)).toThrow('a duration is a number and a unit'),
);

test.each([
  ['15m', 100_000_000 - 900_000],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2026-01-31T12:00', Date.UTC(2026, 0, 31, 12)],
  ['2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
  ['2026-01-31T12:00:00+02:00', Date.UTC(2026, 0, 31, 10)],
])('since %s', (text, ms) => expect(parseSince(text, 100_000_000)).toBe(ms));

test('durations are shown in their two largest units', () => {
  const shown = [0, 999, 1_000, 59_400, 65_000, 3_600_000, 5_400_000, 90_000_000, 30 * 86_400_000];
  expect(shown.map(formatDuration)).toEqual([
    '0 ms',
    '999 ms',
    '1 s',
    '59 s',
    '1 m 5 s',
    '1 h',
    '1 h 30 m',
    '1 d 1 h',
    '30 d',
  ]);
  expect([formatAgo(undefined, 0), formatAgo(0, 500), formatAgo(0, 5_000), formatAgo(5_000, 0)]).toEqual([
    'never',
    'now',
    '5 s ago',
    'in 5 s',
  ]);
});

test('numbers are shown with the digits that matter', () => {
  expect([formatCount(1_234_567), formatRate(0.26), formatRate(12.34), formatRate(1_234.5)]).toEqual([
    '1,234,567',
    '0.3',
    '12.3',
    '1,235',
  ]);
  expect([0, 1_023, 1_536, 10 * 1024 ** 2, 4 * 1024 ** 3].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.5 KiB',
    '10 MiB',
    '4 GiB',
  ]);
  expect([
    describeLimit(undefined, undefined),
    describeLimit(5_000, 20_000),
    describeLimit(2.5, undefined),
  ]).toEqual(['default', '5,000/s, burst 20,000', '2.5/s']);
});

test('JSON comes out exactly: big integers, raw text, dates, null for what is absent', () => {
  const value = { a: 2n ** 64n, b: new JsonText('1e400'), c: new Date(0), d: undefined, e: [1, 'x"'] };
  expect(toJson(value)).toBe(
    '{"a":18446744073709551616,"b":1e400,"c":"1970-01-01T00:00:00.000Z","d":null,"e":[1,"x\\""]}',
  );
  expect(toJsonLines([])).toBe('[]');
  expect(toJsonLines([1, { a: 2 }])).toBe('[\n1,\n{"a":2}\n]');
});

test.each([
  ['{"temp": 22.50, "open": true, "s": "a, \\"b\\"", "n": null}', 'temp=22.50 open=true s=a, "b" n=null'],
  ['{"nested": {"a": 1}}', '{"nested": {"a": 1}}'],
  ['{}', '{}'],
  ['12345678901234567890', '12345678901234567890'],
  ['"text"', 'text'],
])('the JSON %s reads %s', (text, shown) => expect(showJsonValue(text)).toBe(shown));

const columns = [
  { title: 'ID', value: (row: Row) => row.id },
  { title: 'N', value: (row: Row) => row.n, align: 'right' as const },
  { title: 'DETAIL', value: (row: Row) => row.detail, minimum: 8 },
];
interface Row {
  readonly id: string;
  readonly n: string;
  readonly detail: string | undefined;
}

test('a table is aligned by what a terminal shows, also of wide characters', () => {
  const rows = [
    { id: '温度', n: '1', detail: undefined },
    { id: 'a', n: '100', detail: 'x\ty\u0007' },
  ];
  expect(formatTable(columns, rows, 80)).toBe('ID      N  DETAIL\n温度    1  —\na     100  x y\\u0007');
});

test('a table gives way where it may and never cuts an identifier', () => {
  const rows = [{ id: 'i'.repeat(30), n: '1', detail: 'd'.repeat(100) }];
  expect(formatTable(columns, rows, 60).split('\n')[1]).toBe(`${'i'.repeat(30)}  1  ${'d'.repeat(24)}…`);
  expect(formatTable(columns, rows, 10).split('\n')[1]).toBe(`${'i'.repeat(30)}  1  ${'d'.repeat(7)}…`);
});

test('fields are aligned, the lines of a value among each other', () => {
  expect(
    formatFields([
      ['a', '1'],
      ['longer', 'x\ny'],
    ]),
  ).toBe('a       1\nlonger  x\n        y');
});

test('a record is shown as the tables name its members', () => {
  const shown = inTableWords({ siteId: 's1', lastMsgType: undefined, maxSensors: 0, hasToken: false });
  expect(shown).toEqual({ site_id: 's1', last_msg_type: null, max_sensors: 0, has_token: false });
});
