import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { findUnstorable } from '../../src/model/unstorable.ts';

const find = (text: string) => findUnstorable(JSON.parse(text), text);

test('NUL characters and lone surrogates are found in values and keys, with their path', () => {
  expect(find('{"a":{"b":["x","y\\u0000"]}}')).toEqual({ path: 'a.b.1', why: 'NUL character' });
  expect(find('{"a":"\\ud800"}')).toEqual({ path: 'a', why: 'lone surrogate' });
  expect(find('{"a":{"\\udc00":1}}')).toEqual({ path: 'a.\\udc00', why: 'lone surrogate' });
  expect(find('{"\\u0000k":1}')).toEqual({ path: '\\u0000k', why: 'NUL character' });
  expect(find('"\\u0000"')).toEqual({ path: '', why: 'NUL character' });
});

test('whole surrogate pairs and other escapes are fine', () => {
  expect(find('{"a":"\\ud83d\\ude00","\\u0041":"\\u0001"}')).toBeUndefined();
});

test('the text only saves time: the answer is the same without it', () => {
  const unit = fc.constantFrom('a', '\0', '\ud800', '\udc00', '"', '\\', 'u');
  const value = fc.object({ key: fc.string({ unit }), values: [fc.string({ unit }), fc.nat()] });
  fc.assert(
    fc.property(value, (value) => {
      const text = JSON.stringify(value);
      const parsed = JSON.parse(text);
      expect(findUnstorable(parsed, text)).toEqual(findUnstorable(parsed));
      const bad = text.includes('\\u0000') || /\\ud[89a-f]/.test(text);
      // A backslash in the data may spell the same letters; then only the walk knows.
      if (!text.includes('\\\\')) expect(findUnstorable(parsed) !== undefined).toBe(bad);
    }),
  );
});

test('the path of what was found can be stored', () => {
  const found = find('{"\\u0000":{"\\ud800":"\\u0000"}}');
  expect(findUnstorable(found?.path)).toBeUndefined();
});
