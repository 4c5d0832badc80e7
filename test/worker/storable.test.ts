import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decode } from '../../src/worker/decode.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { envelopeText, options, payloadText, rawOf } from './messages.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const large = { ...options, maxBodyBytes: 1_000_000 };

/** Whether decoding takes a payload of these members, and whether PostgreSQL takes what came of it. */
async function fateOf(members: Record<string, string>): Promise<'refused' | 'stored' | string> {
  const { result } = decode(rawOf(envelopeText(payloadText(members))), large);
  if (result.form !== 'reading') return 'refused';
  const { metricsText, extraText, siteId } = result.reading;
  try {
    const stored = await database.pool.query<{ site: string }>({
      text: 'select $1::text as site, $2::jsonb is null or $3::jsonb is null as empty',
      values: [siteId, metricsText, extraText ?? '{}'],
    });
    return stored.rows[0]?.site === siteId ? 'stored' : 'the site_id was changed';
  } catch (error) {
    return String(error);
  }
}

describe('PostgreSQL stores whatever decoding lets pass', () => {
  test.each([
    ['1e131071', '1e131071', 'stored'],
    ['1e131072', '1e131072', 'refused'],
    ['0e131072', '0e131072', 'refused'],
    ['1e-16383', '1e-16383', 'stored'],
    ['1e-16384', '1e-16384', 'refused'],
    ['0e-16384', '0e-16384', 'refused'],
    ['1.5e-16382', '1.5e-16382', 'stored'],
    ['1.5e-16383', '1.5e-16383', 'refused'],
    ['16,383 decimals', `0.${'1'.repeat(16_383)}`, 'stored'],
    ['16,384 decimals', `0.${'1'.repeat(16_384)}`, 'refused'],
    ['131,072 digits', '1'.repeat(131_072), 'stored'],
    ['131,073 digits', '1'.repeat(131_073), 'refused'],
    ['an absurd exponent', '1e99999999999999999999', 'refused'],
    ['two that are written out as a quarter of a million digits', '[1e131071,1e131071]', 'refused'],
    ['many small ones that are', `[${Array(1_500).fill('1e99').join()}]`, 'refused'],
    ['as many as may be', `[${Array(1_300).fill('1e99').join()}]`, 'stored'],
  ])('%s outside the metrics', async (_, text, fate) => {
    expect(await fateOf({ note: text })).toBe(fate);
  });

  test('any payload, with any strings, keys and numbers', async () => {
    const string = fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text));
    const escaped = fc
      .oneof(fc.constantFrom(0, 0xd800, 0xdc00, 0xdfff, 0x7f), fc.nat(0xffff))
      .map((code) => `"\\u${code.toString(16).padStart(4, '0')}"`);
    const number = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.bigInt({ min: 0n, max: 10n ** 30n }),
        fc.option(fc.nat()),
        fc.option(fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -140_000, max: 140_000 }))),
      )
      .map(([sign, whole, fraction, exponent]) =>
        [sign, whole, fraction === null ? '' : `.${fraction}`, exponent === null ? '' : `e${exponent}`].join(
          '',
        ),
      );
    const scalar = fc.oneof(string, escaped, number, fc.constantFrom('true', 'null'));
    const object = fc
      .array(fc.tuple(fc.oneof(string, escaped), scalar), { maxLength: 3 })
      .map((members) => `{${members.map(([key, value]) => `${key}:${value}`).join(',')}}`);
    const fates = { refused: 0, stored: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            site_id: fc.oneof(string, escaped),
            metrics: object,
            note: fc.oneof(object, scalar),
            seq: scalar,
          },
          { requiredKeys: [] },
        ),
        async (members) => {
          const fate = await fateOf(members);
          expect(fate).toBeOneOf(['refused', 'stored']);
          fates[fate as keyof typeof fates]++;
        },
      ),
      { numRuns: 1000 },
    );
    // Neither may be the only one, or this would show nothing.
    expect(Math.min(fates.refused, fates.stored)).toBeGreaterThan(50);
  });
});
