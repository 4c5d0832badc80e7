import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  bigintArray,
  int4Array,
  int8Array,
  jsonbArray,
  textArray,
  timestampArray,
  uuidArray,
} from '../../src/store/binary-arrays.ts';
import { rejectionOf, withDatabase } from './with-database.ts';

const same = <T>(value: T): T => value;
const runs = { numRuns: 200 } as const;

// NUL is in no text of PostgreSQL, and half of a surrogate pair in no UTF-8.
const texts = fc.array(
  fc.option(
    fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replaceAll('\0', '0')),
    { nil: undefined },
  ),
);
const safeIntegers = fc.array(fc.option(fc.maxSafeInteger(), { nil: undefined }));

test('texts of any length and script, and none, arrive as they are', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    await fc.assert(
      fc.asyncProperty(texts, async (values) => {
        const { rows } = await pool.query('select to_json($1::text[]) as json', [textArray(values, same)]);
        expect(JSON.parse(rows[0].json)).toEqual(values.map((value) => value ?? null));
      }),
      runs,
    );
  }));

test('integers up to 2^53 either way arrive exactly, as do 64 bits of a bigint', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    await fc.assert(
      fc.asyncProperty(
        safeIntegers,
        fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
        async (safe, wide) => {
          const { rows } = await pool.query(
            'select $1::bigint[]::text[] as safe, $2::bigint[]::text[] as wide, $3::int[]::text[] as narrow',
            [
              int8Array(safe, same),
              bigintArray(wide, same),
              int4Array(wide, (value) => Number(BigInt.asIntN(32, value))),
            ],
          );
          expect(rows[0].safe).toEqual(safe.map((value) => value?.toString().replace(/^-0$/, '0') ?? null));
          expect(rows[0].wide).toEqual(wide.map(String));
          expect(rows[0].narrow).toEqual(wide.map((value) => BigInt.asIntN(32, value).toString()));
        },
      ),
      runs,
    );
  }));

test('times keep their microsecond, before 1970 and 2000 too', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    const times = [
      0, -1, 946_684_799_999_999, 946_684_800_000_000, 1_795_536_837_183_457, -6_200_000_000_000_001,
    ];
    const { rows } = await pool.query(
      `select array(select (extract(epoch from t) * 1000000)::bigint::text from unnest($1::timestamptz[]) t) as us`,
      [timestampArray(times, same)],
    );
    expect(rows[0].us).toEqual(times.map(String));
  }));

test('JSON texts and identities arrive as they would as text', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    const documents = ['{"t":1.50,"é":"ü","n":9007199254740993}', '[]', '1e400', '"\\u00e9"'];
    const ids = Array.from({ length: 3 }, () => crypto.randomUUID());
    const { rows } = await pool.query(
      `select $1::jsonb[] = $2::jsonb[] as json, $3::uuid[]::text[] as ids, ($4::jsonb[])[1] is null as absent`,
      [
        jsonbArray(documents, same),
        documents,
        uuidArray(ids, (id) => id.replaceAll('-', '')),
        jsonbArray([undefined], same),
      ],
    );
    expect(rows[0]).toEqual({ json: true, ids, absent: true });
  }));

test('arrays without an element are empty', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    const { rows } = await pool.query(
      'select cardinality($1::text[]) as texts, cardinality($2::bigint[]) as numbers',
      [textArray([], same), int8Array([], same)],
    );
    expect(rows[0]).toEqual({ texts: 0, numbers: 0 });
  }));

test('what PostgreSQL refuses as text it refuses with the same SQLSTATE', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    const sqlstateOf = async (type: string, value: unknown) =>
      ((await rejectionOf(pool.query(`select $1::${type}[]`, [value]))) as { code?: string }).code;
    expect(await sqlstateOf('text', textArray(['a\0b'], same))).toBe('22021');
    expect(await sqlstateOf('jsonb', jsonbArray(['{"a":"\\u0000"}'], same))).toBe('22P05');
    expect(await sqlstateOf('jsonb', jsonbArray(['{'], same))).toBe('22P02');
    expect(await sqlstateOf('timestamptz', timestampArray([2 ** 63 + 946_000_000_000_000], same))).toBe(
      '22008',
    );
  }));

test('an identity that is none is refused here', () => {
  for (const text of ['', 'abc', 'g'.repeat(32), 'a'.repeat(33), 'a'.repeat(31)])
    expect(() => uuidArray([text], same)).toThrow(RangeError);
});
