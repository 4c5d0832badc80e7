import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  arrayElements,
  memberSpan,
  topLevelMembers,
  withMember,
  withoutMembers,
} from '../../src/model/json-text.ts';
import { looseJson, space } from './json-arbitraries.ts';

describe('members and elements of JSON text', () => {
  test('the spans of an object rebuild what JSON.parse sees, duplicates last', () => {
    fc.assert(
      fc.property(space, looseJson.object, space, (before, object, behind) => {
        const text = before + object + behind;
        const entries = topLevelMembers(text).map(
          (member) => [member.key, JSON.parse(text.slice(member.valueStart, member.valueEnd))] as const,
        );
        expect(Object.fromEntries(entries)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('the spans of an array are its elements', () => {
    fc.assert(
      fc.property(looseJson.array, (text) => {
        const elements = arrayElements(text).map(({ start, end }) => JSON.parse(text.slice(start, end)));
        expect(elements).toEqual(JSON.parse(text));
      }),
    );
  });

  test('a nested object is read at its offset', () => {
    const text = '{"a": {"b" : [1, 2], "\\u0063":"}"} }';
    const outer = memberSpan(text, 'a');
    const inner = topLevelMembers(text, outer?.valueStart);
    expect(inner.map((member) => [member.key, text.slice(member.valueStart, member.valueEnd)])).toEqual([
      ['b', '[1, 2]'],
      ['c', '"}"'],
    ]);
  });

  test('of duplicated keys the last is the member', () => {
    const text = '{"a":1,"a":2}';
    const member = memberSpan(text, 'a');
    expect(text.slice(member?.valueStart, member?.valueEnd)).toBe('2');
    expect(memberSpan(text, 'b')).toBeUndefined();
  });

  test('a depth of 200,000 does not reach the stack', () => {
    const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)},"b":1}`;
    expect(withoutMembers(deep, ['a'])).toBe('{"b":1}');
  });
});

describe('setting a member', () => {
  test('it goes right behind the opening brace and the rest keeps its bytes', () => {
    expect(withMember(' { "n":1e400, "n":1.0 }', 'provision_token', '"t"')).toBe(
      ' {"provision_token":"t", "n":1e400, "n":1.0 }',
    );
    expect(withMember('{ }', 'k', '1')).toBe('{"k":1 }');
  });

  test('former ones go, in any number and spelling', () => {
    const text =
      '{"provision_token":"a","x":{"provision_token":"in"},"provision\\u005ftoken":"b","provision_token":"c"}';
    expect(withMember(text, 'provision_token', '"new"')).toBe(
      '{"provision_token":"new","x":{"provision_token":"in"}}',
    );
    expect(withMember('{"a":1,"\\u006b":1}', 'k', '2')).toBe('{"k":2,"a":1}');
    expect(withMember('{"k":1}', 'k', '2')).toBe('{"k":2}');
  });

  test('for any object: the key is set once, everything else is as before', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('A', '\\', '"', '__proto__'));
    fc.assert(
      fc.property(looseJson.object, key, (text, key) => {
        const result = withMember(text, key, '"new"');
        const entries = topLevelMembers(result);
        expect(entries.filter((member) => member.key === key)).toHaveLength(1);
        expect(JSON.parse(result)).toEqual(
          Object.fromEntries([...Object.entries(JSON.parse(text)), [key, 'new']]),
        );
        const raw = (source: string) =>
          topLevelMembers(source)
            .filter((member) => member.key !== key)
            .map((member) => source.slice(member.keyStart, member.valueEnd));
        expect(raw(result)).toEqual(raw(text));
      }),
    );
  });
});

describe('cutting members', () => {
  test('the commas stay right wherever the cut members stood', () => {
    const keys = ['x', 'y'];
    const cases: [string, string][] = [
      ['{"x":1}', '{}'],
      ['{"x":1,"y":2}', '{}'],
      ['{"x":1, "a":2}', '{"a":2}'],
      ['{"a":1, "x":2}', '{"a":1}'],
      ['{"a":1,"x":2,"y":3}', '{"a":1}'],
      ['{"x":1,"a":1,"x":2,"b":2,"y":3,"x":4 }', '{"a":1,"b":2 }'],
      ['{"a":{"x":1}}', '{"a":{"x":1}}'],
    ];
    for (const [text, wanted] of cases) expect(withoutMembers(text, keys)).toBe(wanted);
  });

  test('for any object: what is left is the members not named, byte for byte', () => {
    fc.assert(
      fc.property(looseJson.object, fc.array(fc.nat({ max: 4 })), (text, picks) => {
        const members = topLevelMembers(text);
        const keys = picks.flatMap((pick) => members[pick]?.key ?? []);
        const result = withoutMembers(text, keys);
        JSON.parse(result);
        expect(topLevelMembers(result).map((m) => result.slice(m.keyStart, m.valueEnd))).toEqual(
          members.filter((m) => !keys.includes(m.key)).map((m) => text.slice(m.keyStart, m.valueEnd)),
        );
      }),
    );
  });
});
