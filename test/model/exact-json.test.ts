import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { canonicalDecimal } from '../../src/model/decimal.ts';
import { isRawNumber, parseExactJson } from '../../src/model/exact-json.ts';
import { looseJson } from './json-arbitraries.ts';

const printed = (text: string) => JSON.stringify(parseExactJson(text));

test('numbers a double would change stay as they were sent', () => {
  for (const number of [
    '1e400',
    '-1e400',
    '1e-400',
    '12345678901234567890',
    '9007199254740993',
    '0.1234567890123456789',
    '1.7976931348623159e308',
    '123456789012345678901234567890.5e-10',
  ]) {
    expect(printed(`{"a":[${number}]}`)).toBe(`{"a":[${number}]}`);
    const parsed = parseExactJson(number);
    expect(isRawNumber(parsed)).toBe(true);
  }
});

test('numbers that survive are plain numbers, however they are spelled', () => {
  for (const number of [
    '1',
    '1.0',
    '-0',
    '0e999',
    '1e+100',
    '9007199254740992',
    '0.1000000000000000000',
    '5e-324',
  ]) {
    expect(typeof parseExactJson(number)).toBe('number');
  }
});

test('any number printed again has the value it was sent with', () => {
  const digits = fc.stringMatching(/^(0|[1-9]\d{0,25})$/);
  const fraction = fc.stringMatching(/^(\.\d{1,25})?$/);
  const exponent = fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,4}$/));
  fc.assert(
    fc.property(fc.constantFrom('', '-'), digits, fraction, exponent, (...parts) => {
      const source = parts.join('');
      expect(canonicalDecimal(printed(source))).toBe(canonicalDecimal(source));
    }),
    { numRuns: 2000 },
  );
});

test('text without such numbers parses as JSON.parse does', () => {
  fc.assert(
    fc.property(looseJson.value, (text) => {
      const lossless = !/1e400|12345678901234567890/.test(text);
      fc.pre(lossless);
      expect(parseExactJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('digits inside strings do not become numbers', () => {
  const text = '{"12345678901234567890":"1e400","b":"0.1234567890123456789"}';
  expect(parseExactJson(text)).toEqual(JSON.parse(text));
  expect(isRawNumber({ rawJSON: '1' })).toBe(false);
});

test('what is not JSON throws SyntaxError; deep text with such a number throws RangeError, not a stack overflow', () => {
  expect(() => parseExactJson('{"a":1e400')).toThrow(SyntaxError);
  const deep = `${'['.repeat(200_000)}1e400${']'.repeat(200_000)}`;
  expect(() => parseExactJson(deep)).toThrow('flatten the message');
});
