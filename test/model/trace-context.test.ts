import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatTraceparent, parseTraceparent } from '../../src/model/trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

test('a context is read as it was sent', () => {
  expect(parseTraceparent(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId, sampled: true });
  expect(parseTraceparent(`00-${traceId}-${spanId}-00`)).toEqual({ traceId, spanId, sampled: false });
  // Flags that are not ours to know.
  expect(parseTraceparent(`00-${traceId}-${spanId}-03`)?.sampled).toBe(true);
  expect(parseTraceparent(`00-${traceId}-${spanId}-fe`)?.sampled).toBe(false);
  // A later version may say more.
  expect(parseTraceparent(`cc-${traceId}-${spanId}-01-what-the-future-brings`)?.traceId).toBe(traceId);
  expect(parseTraceparent(`cc-${traceId}-${spanId}-01`)?.traceId).toBe(traceId);
});

test.each([
  [''],
  ['00'],
  [`00-${traceId}-${spanId}`],
  [`00-${traceId}-${spanId}-0`],
  [`00-${traceId}-${spanId}-01-`],
  [`00-${traceId}-${spanId}-01-more`],
  [`00-${traceId}-${spanId}-01 `],
  [` 00-${traceId}-${spanId}-01`],
  [`00-${traceId}-${spanId}-01\n`],
  [`00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
  [`ff-${traceId}-${spanId}-01`],
  [`cc-${traceId}-${spanId}-01.more`],
  [`00-${traceId.toUpperCase()}-${spanId}-01`],
  [`00-${traceId}-${spanId}-0G`],
  [`00-${'0'.repeat(32)}-${spanId}-01`],
  [`00-${traceId}-${'0'.repeat(16)}-01`],
  [`00-${traceId.slice(1)}-${spanId}-01`],
  [`00-${traceId}0-${spanId.slice(1)}-01`],
  [`00_${traceId}_${spanId}_01`],
])('%j is no context', (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test('nothing is no context', () => {
  expect(parseTraceparent(null)).toBeUndefined();
  expect(parseTraceparent(undefined)).toBeUndefined();
});

test('what is written is read again, and any text is read without a fault', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const context = fc
    .record({ traceId: hex(32), spanId: hex(16), sampled: fc.boolean() })
    .filter((each) => !/^0+$/.test(each.traceId) && !/^0+$/.test(each.spanId));
  fc.assert(fc.property(context, (each) => expect(parseTraceparent(formatTraceparent(each))).toEqual(each)));
  fc.assert(fc.property(fc.string(), (text) => expect(parseTraceparent(text)).toBeUndefined()));
});
