import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { duplicateKey } from '../../src/model/duplicate-key.ts';
import { parseExactJson } from '../../src/model/exact-json.ts';
import { topLevelMembers } from '../../src/model/json-spans.ts';
import { looseJson } from './json-arbitraries.ts';

const find = (text: string) => duplicateKey(text, parseExactJson(text));

test('a key given twice is found at any depth and in any spelling', () => {
  expect(find('{"a":1,"a":1}')).toBe('a');
  expect(find('{"metrics":{"temp":1, "x":[{"b":1}], "\\u0074emp" : 2}}')).toBe('metrics.temp');
  expect(find('{"n":1e400,"n":1e400}')).toBe('n');
  expect(find('[[{"a":{}},{"a":1,"b":{"c":[],"c":1}}]]')).toBe('b.c');
});

test('the same key in different objects, and strings that look like keys, are no duplicates', () => {
  expect(find('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}')).toBeUndefined();
  expect(find('{"a":"\\"a\\":1","b":["a","a"],"c":"x\\":","n":1e400}')).toBeUndefined();
});

test('for any text: found exactly when an object dropped a member', () => {
  const dropsMember = (text: string, start = 0): boolean => {
    const members = topLevelMembers(text, start);
    return (
      new Set(members.map((m) => m.key)).size < members.length ||
      members.some((m) => dropsMember(text, m.valueStart))
    );
  };
  fc.assert(
    fc.property(looseJson.object, (text) => {
      fc.pre(!text.includes('['));
      expect(find(text) !== undefined).toBe(dropsMember(text));
    }),
    { numRuns: 500 },
  );
});

test('a depth of 200,000 does not reach the stack', () => {
  const deep = `${'{"a":'.repeat(200_000)}{"b":1,"b":2}${'}'.repeat(200_000)}`;
  expect(duplicateKey(deep, JSON.parse(deep))).toEndWith('a.b');
});
