import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createSecret } from '../../src/model/token.ts';
import { cutTokens } from '../../src/model/token-cut.ts';
import { looseJson } from './json-arbitraries.ts';

const cut = (text: string) => {
  const { bytes, tokens } = cutTokens(Buffer.from(text));
  return { text: Buffer.from(bytes).toString(), tokens };
};

/** A string as JSON writes it, once more for each level of JSON in a string. */
const nested = (text: string, levels: number): string =>
  levels === 0 ? text : nested(JSON.stringify(text), levels - 1);

const escapeAll = (text: string) =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

const name = fc.oneof(
  fc.constantFrom('provision_token', 'provision\\u005ftoken', 'Provision_Token', 'PROVISION\\u005FTOKEN'),
  fc.constant(escapeAll('provision_token')),
);
const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const word = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 8 });
const odd = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', '\\', ' ', '*', ',', '}', 'é', '😀'),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
  minLength: 8,
});
const token = fc.oneof(word, odd);

/** Plain, JSON-escaped and double-escaped. */
const spellings = (secret: string) =>
  [0, 1, 2].map((levels) => nested(secret, levels).replace(/^[\\"]+|[\\"]+$/g, ''));

describe('tokens in JSON', () => {
  test('members go at any depth, the rest keeps its bytes', () => {
    const cases: [string, string, string[]][] = [
      ['{"provision_token":"t"}', '{}', ['t']],
      ['{ "n":1e400, "provision_token" : "t" }', '{ "n":1e400 }', ['t']],
      ['{"provision_token":"a","n":1.0,"provision_token":"b"}', '{"n":1.0}', ['a', 'b']],
      ['{"a":1, "provision_token":"a", "provision_token":"b"}', '{"a":1}', ['a', 'b']],
      ['{"provision_token":"a","provision_token":"b"}', '{}', ['a', 'b']],
      ['[{"x":[{"provision\\u005ftoken":"a\\u0041","y":1}]}]', '[{"x":[{"y":1}]}]', ['aA']],
      ['{"payload":{"provision_token":{"x":"y"}},"ts":1}', '{"payload":{},"ts":1}', []],
      ['{"PROVISION_TOKEN":"a"}', '{}', ['a']],
      ['{"note":"no token","provision_tokens":1}', '{"note":"no token","provision_tokens":1}', []],
    ];
    for (const [text, wanted, tokens] of cases) expect(cut(text)).toEqual({ text: wanted, tokens });
  });

  test('a payload that is a JSON string is cut inside, at its own level of escapes', () => {
    const inner = '{"a":"x\\"\\n😀","provision_token":"t\\"1","b":12345678901234567890}';
    const kept = '{"a":"x\\"\\n😀","b":12345678901234567890}';
    for (const levels of [1, 2, 3]) {
      expect(cut(`{"payload":${nested(inner, levels)},"ts":1}`)).toEqual({
        text: `{"payload":${nested(kept, levels)},"ts":1}`,
        tokens: ['t"1'],
      });
    }
  });

  test('escapes that JSON.stringify would not write are counted too', () => {
    expect(
      cut('{"payload":"\\u007b\\"a\\":\\"\\u0041\\/\\",\\"provision\\u005ftoken\\":\\"t\\"}"}').text,
    ).toBe('{"payload":"\\u007b\\"a\\":\\"\\u0041\\/\\"}"}');
  });

  test('deeper strings in strings are emptied rather than searched', () => {
    const { text } = cut(`{"payload":${nested('{"provision_token":"secret-1"}', 8)}}`);
    expect(text).toBe(`{"payload":${nested('', 5)}}`);
  });

  test('for any JSON: what is left parses to the same without these members', () => {
    const scrub = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(scrub);
      if (typeof value !== 'object' || value === null) return value;
      const kept = Object.entries(value).filter(([key]) => !/^provision_token$/i.test(key));
      return Object.fromEntries(kept.map(([key, child]) => [key, scrub(child)]));
    };
    const member = fc.tuple(name, looseJson.value).map(([key, value]) => `"${key}" : ${value}`);
    const plain = fc.tuple(looseJson.string, looseJson.value).map(([key, value]) => `${key}:${value} `);
    const object = fc
      .array(fc.oneof(member, plain), { maxLength: 6 })
      .map((members) => `{ ${members.join(', ')}}`);
    const text = fc.tuple(object, object).map(([a, b]) => `[${a},{"x":${b}}]`);
    fc.assert(
      fc.property(text, (text) => {
        // Masking is another test's business.
        fc.pre(cut(text).tokens.every((token) => token.length < 8));
        expect(JSON.parse(cut(text).text)).toEqual(scrub(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  test('what holds no token comes back as the same bytes', () => {
    fc.assert(
      fc.property(fc.oneof(looseJson.value, fc.string()), (text) => {
        const raw = Buffer.from(text);
        expect(cutTokens(raw).bytes).toBe(raw);
      }),
    );
  });
});

describe('tokens in what is no JSON', () => {
  test('up to a certain delimiter, else to the end', () => {
    const cases: [string, string, string[]][] = [
      ['{"provision_token":"t-1","a":1', '{"provision_token":"","a":1', ['t-1']],
      [
        '{"payload":"{\\"provision_token\\": \\"t-1\\", \\"a',
        '{"payload":"{\\"provision_token\\": \\"\\", \\"a',
        ['t-1'],
      ],
      [
        '{"provision_token":"t-1","provision\\u005ftoken":"t-2"',
        '{"provision_token":"","provision\\u005ftoken":""',
        ['t-1', 't-2'],
      ],
      ['{"provision_token":"a b","c":1', '{"provision_token', []],
      ['{"provision_token":"a\\"b","c":1', '{"provision_token', []],
      ['{"provision_token":"a"b","c":1', '{"provision_token', []],
      ['{\\"provision_token\\":\\"a\\\\\\"b\\","c":1', '{\\"provision_token', []],
      ['{"provision_token":\\"a","c":1', '{"provision_token', []],
      ["{'provision_token':'a','c':1}", "{'provision_token", []],
      ['a=1&Provision_Token=abc&b=2', 'a=1&Provision_Token', []],
      ['a=1&provision%5Ftoken=abc&b=2', 'a=1&provision%5Ftoken', []],
      [
        '{"provision\\\\u005ctoken, "provision\\\\u005cu005ftoken":"abc"',
        '{"provision\\\\u005ctoken, "provision\\\\u005cu005ftoken":""',
        ['abc'],
      ],
      ['provision_token', 'provision_token', []],
    ];
    for (const [text, wanted, tokens] of cases) expect(cut(text)).toEqual({ text: wanted, tokens });
  });

  test('UTF-16 and bytes that are no UTF-8 do not hide it', () => {
    const utf16 = Buffer.from('{"provision_token":"secret-1"}', 'utf16le');
    expect(Buffer.from(cutTokens(utf16).bytes).toString('utf16le')).not.toContain('secret');
    const broken = Buffer.concat([
      Buffer.from([0xff, 0xc0]),
      Buffer.from('{"provision_token":"secret-1","x":"é"}'),
    ]);
    const { bytes, tokens } = cutTokens(broken);
    expect(tokens).toEqual(['secret-1']);
    expect(bytes).toEqual(
      Buffer.concat([Buffer.from([0xff, 0xc0]), Buffer.from('{"provision_token":"","x":"é"}')]),
    );
  });

  test('a token never survives, whatever stands around it', () => {
    const piece = fc.oneof(
      fc.string(),
      looseJson.value,
      fc.constantFrom(
        '"',
        '\\',
        '\\u00',
        '{',
        '"}',
        '","',
        ':',
        '%',
        '%5',
        '\0',
        'provision_token',
        '"provision_token":"x",',
      ),
    );
    const garbage = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const bytes = fc.oneof(
      garbage.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
    );
    fc.assert(
      fc.property(bytes, bytes, name, token, fc.nat({ max: 2 }), (before, behind, name, token, levels) => {
        const isClean = (raw: Uint8Array) =>
          [token, ...spellings(token)].every(
            (spelling) => spelling.length < 8 || !Buffer.from(raw).includes(spelling),
          );
        fc.pre(isClean(before) && isClean(behind));
        const member = nested(`{"${name}":${JSON.stringify(token)}}`, levels).slice(
          levels,
          -1 - levels || undefined,
        );
        const { bytes } = cutTokens(Buffer.concat([before, Buffer.from(member), behind]));
        expect(isClean(bytes)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('copies of a token', () => {
  test('a token that was cut is masked wherever else it stands', () => {
    expect(cut('{"provision_token":"secret-1","note":"my secret-1!"}').text).toBe('{"note":"my ***!"}');
    expect(cut('{"provision_token":"se\\"cret*1","note":"se\\"cret*1"}').text).toBe('{"note":"###"}');
    expect(cut('{"provision_token":"tok","note":"token"}').text).toBe('{"note":"token"}');
  });

  test('secrets of our own form are masked without any name', () => {
    const secret = createSecret('trb_', new Uint8Array(32).fill(7));
    const operatorKey = createSecret('trbop_', new Uint8Array(32).fill(7));
    expect(cut(`{"note":"${secret}"}`)).toEqual({ text: '{"note":"***"}', tokens: [] });
    expect(cut(`curl -H ${operatorKey}`).text).toBe('curl -H ***');
    const other = `trb_${'0'.repeat(49)}`;
    expect(cut(other).text).toBe(other);
  });

  test('more tokens than can be searched for leave nothing', () => {
    const members = Array.from({ length: 200 }, (_, index) => `{"provision_token":"token-${index + 1000}"}`);
    expect(cut(`[${members.join(',')}]`).text).toBe('');
  });
});

test('hostile input costs linear time and no stack', () => {
  const length = 262_144;
  for (const text of [
    '\\'.repeat(length),
    '"'.repeat(length),
    '%'.repeat(length),
    '"provision_token":"x",'.repeat(length / 22),
    `${'['.repeat(length / 2)}{"provision_token":"secret-1"}${']'.repeat(length / 2)}`,
    `{${Array.from({ length: 10_000 }, () => '"provision_token":""').join(',')}}`,
    `"${'\\u0061'.repeat(length / 6)}"`,
  ]) {
    expect(cut(text).text).not.toContain('secret-1');
  }
});
