import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseStrictJson } from '../../src/model/strict-json.ts';
import { looseJson } from './json-arbitraries.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const faultOf = (text: string, maxDepth?: number) => {
  const parsed = parseStrictJson(bytesOf(text), maxDepth === undefined ? {} : { maxDepth });
  return parsed.ok ? 'ok' : parsed.why;
};

test('any JSON text comes back as parsed and as text', () => {
  fc.assert(
    fc.property(looseJson.value, (text) => {
      expect(parseStrictJson(bytesOf(text))).toEqual({ ok: true, value: JSON.parse(text), text });
    }),
  );
});

test('bytes that are not UTF-8 are refused, not replaced', () => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0x80, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    expect(parseStrictJson(Uint8Array.from(bytes))).toEqual({ ok: false, why: 'not_utf8' });
  }
});

test('a byte order mark, an empty body and half a body are not JSON', () => {
  for (const text of ['\ufeff{}', '', ' ', '{', '{"a":1', "{'a':1}", '{"a":NaN}', '{} {}']) {
    expect(faultOf(text)).toBe('not_json');
  }
});

test('a __proto__ key is refused at any depth and in any spelling', () => {
  for (const text of [
    '{"__proto__":1}',
    '{"a":[{"b":{"__proto__":{"x":1}}}]}',
    '{"\\u005f_proto__":1}',
    '{"__prot\\u006f\\u005F\\u005f":1}',
    '{"__proto__":1,"__proto__":2}',
  ]) {
    expect(faultOf(text)).toBe('proto_key');
  }
  expect(faultOf('{"a":"__proto__","b":"\\"__proto__\\":1","_proto_":"\\u005f"}')).toBe('ok');
});

test('depth 32 is taken, 33 refused, brackets inside strings do not count', () => {
  const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
  expect(faultOf(nested(32))).toBe('ok');
  expect(faultOf(`[[],${nested(30)},{},${nested(30)}]`.replace('[[]', '[[{}]'))).toBe('ok');
  expect(faultOf(`{"a":[],"b":[[],${nested(30)}]}`)).toBe('ok');
  expect(faultOf(`[${nested(32)}]`)).toBe('too_deep');
  expect(faultOf(`[${nested(32)}]`, 33)).toBe('ok');
  expect(faultOf(JSON.stringify(['['.repeat(100), '\\"{{'.repeat(50)]))).toBe('ok');
  expect(faultOf(JSON.stringify(Array.from({ length: 100 }, () => [1])))).toBe('ok');
});

test('a depth of 200,000 is refused without blowing the stack', () => {
  expect(faultOf('['.repeat(200_000))).toBe('too_deep');
  expect(faultOf(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)).toBe('too_deep');
});
