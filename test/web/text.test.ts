import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { ExactNumber, parseExact } from '../../web/lib/exact.ts';
import { formatAgo, formatBytes, formatDuration, formatMs, formatRate } from '../../web/lib/format.ts';
import { indent } from '../../web/lib/indent.ts';
import { boundsOf, pan, select, zoom } from '../../web/lib/time-range.ts';

test('numbers that a double would change stay as they were sent', () => {
  const parsed = parseExact('{"a":22.5,"b":9007199254740993,"c":1e400,"d":0.12345678901234567890,"e":"1"}');
  expect(parsed).toEqual({
    a: 22.5,
    b: new ExactNumber('9007199254740993'),
    c: new ExactNumber('1e400'),
    d: new ExactNumber('0.12345678901234567890'),
    e: '1',
  });
});

test('a payload is indented without a change to its values', () => {
  expect(indent('{"a":1e400,"b":["x, {y}: z",null]}')).toBe(
    '{\n  "a": 1e400,\n  "b": [\n    "x, {y}: z",\n    null\n  ]\n}',
  );
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(JSON.parse(indent(text))).toEqual(JSON.parse(text));
    }),
  );
});

test('figures have units that people read', () => {
  expect([0, 0.4, 9.94, 12.7, 2_012].map(formatRate)).toEqual(['0', '0.4', '9.9', '13', '2,012']);
  expect([0.4, 35.2, 1_500, 75_000].map(formatMs)).toEqual(['0.4 ms', '35 ms', '1.5 s', '1 min 15 s']);
  expect([900, 3_600_000, 93_600_000].map(formatDuration)).toEqual(['0.9 s', '1 h', '1 d 2 h']);
  expect([12, 1_234, 250_000_000].map(formatBytes)).toEqual(['12 B', '1.2 kB', '250 MB']);
  expect([formatAgo(0, 500), formatAgo(0, 9_900), formatAgo(9_000, 0)]).toEqual(['now', '9 s ago', 'in 9 s']);
});

test('a live range keeps its end at now; moving away from now fixes it, moving back frees it', () => {
  const live = { kind: 'live', spanMs: 60_000 } as const;
  expect(zoom(live, 0.5, 1_000_000)).toEqual({ kind: 'live', spanMs: 30_000 });
  const earlier = pan(live, -0.5, 1_000_000);
  expect(earlier).toEqual({ kind: 'fixed', fromMs: 910_000, toMs: 970_000 });
  expect(pan(earlier, 0.5, 1_000_000)).toEqual(live);
  expect(boundsOf(zoom(earlier, 2, 2_000_000), 0)).toEqual({ fromMs: 880_000, toMs: 1_000_000 });
  expect(select(5_000, 5_001)).toEqual({ kind: 'fixed', fromMs: 4_001, toMs: 6_001 });
});
