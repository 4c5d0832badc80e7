import { describe, expect, test } from 'bun:test';
import { envelopeText, payloadText, readingOf, reasonOf, token, verdictOn } from './messages.ts';

/** A payload whose members are JSON text, so that every spelling arrives as written. */
const message = (members: Record<string, string>) => envelopeText(payloadText(members));
const metric = (valueText: string) => message({ metrics: `{"temp":${valueText}}` });

describe('what cannot be stored as sent is refused', () => {
  test.each([
    ['a NUL character', String.raw`"a\u0000b"`],
    ['a lone high surrogate', String.raw`"\ud800"`],
    ['a lone low surrogate', String.raw`"x\uDC00x"`],
  ])('%s, wherever it stands', (_, text) => {
    expect({
      inValue: reasonOf(metric(text)),
      inKey: reasonOf(message({ metrics: `{${text}:1}` })),
      inSite: reasonOf(message({ site_id: text })),
      inTs: reasonOf(message({ ts: text })),
      inVersion: reasonOf(message({ version: text })),
      inSeq: reasonOf(message({ seq: text })),
      inExtra: reasonOf(message({ note: text })),
      deepInExtra: reasonOf(message({ note: `[{"a":[${text}]}]` })),
      inExtraKey: reasonOf(message({ note: `{${text}:1}` })),
      inToken: reasonOf(message({ provision_token: text })),
    }).toEqual({
      inValue: 'METRIC_VALUE_INVALID',
      inKey: 'METRIC_KEY_INVALID',
      inSite: 'MISSING_SITE_ID',
      inTs: 'TIMESTAMP_INVALID',
      inVersion: 'UNSUPPORTED_ENVELOPE_VERSION',
      inSeq: 'BAD_ENVELOPE',
      inExtra: 'BAD_ENVELOPE',
      deepInExtra: 'BAD_ENVELOPE',
      inExtraKey: 'BAD_ENVELOPE',
      inToken: 'TOKEN_INVALID',
    });
  });

  test.each([
    ['1e400', 'METRIC_VALUE_INVALID', 'accept'],
    ['-1e400', 'METRIC_VALUE_INVALID', 'accept'],
    ['1e-400', 'METRIC_VALUE_INVALID', 'accept'],
    ['1e200000', 'METRIC_VALUE_INVALID', 'BAD_ENVELOPE'],
    ['1e-20000', 'METRIC_VALUE_INVALID', 'BAD_ENVELOPE'],
    ['0e-20000', 'METRIC_VALUE_INVALID', 'BAD_ENVELOPE'],
    [`1e${'9'.repeat(60)}`, 'METRIC_VALUE_INVALID', 'BAD_ENVELOPE'],
    [`0.${'0'.repeat(400)}1`, 'METRIC_VALUE_INVALID', 'accept'],
    ['[1]', 'METRIC_VALUE_INVALID', 'accept'],
    ['{"a":1}', 'METRIC_VALUE_INVALID', 'accept'],
    [`"${'x'.repeat(1025)}"`, 'METRIC_VALUE_INVALID', 'accept'],
  ])('%s as a metric: %s; as another member: %s', (text, asMetric, asExtra) => {
    expect(reasonOf(metric(text))).toBe(asMetric);
    expect(reasonOf(message({ note: text }))).toBe(asExtra);
  });

  test.each([
    ['', 'is empty'],
    ['x'.repeat(129), '128'],
    ['a\tb', 'control'],
    ['a\u007fb', 'control'],
    ['a\u0085b', 'control'],
    ['provision_token', 'token'],
  ])('the metric key %j', (key, why) => {
    const verdict = verdictOn(message({ metrics: JSON.stringify({ [key]: 1 }) }));
    expect(verdict).toMatchObject({ reason: 'METRIC_KEY_INVALID', detail: expect.stringContaining(why) });
  });

  test('keys that stand twice: among the metrics, elsewhere, in both', () => {
    const repeated = '{"temp":1,"te\\u006dp":2}';
    expect(reasonOf(message({ metrics: repeated }))).toBe('METRIC_KEY_INVALID');
    expect(reasonOf(message({ note: repeated }))).toBe('BAD_ENVELOPE');
    expect(reasonOf(message({ metrics: repeated, note: repeated }))).toBe('BAD_ENVELOPE');
    expect(reasonOf(envelopeText(payloadText({}).replace('{', '{"metrics":{"temp":1},')))).toBe(
      'BAD_ENVELOPE',
    );
    expect(reasonOf(envelopeText(payloadText({}).replace('{', '{"site_id":"s2",')))).toBe('BAD_ENVELOPE');
    expect(reasonOf(envelopeText(payloadText({})).replace('{', '{"device_id":"d1",'))).toBe('BAD_ENVELOPE');
    // Nested: the value is refused anyway, and that is the better reason.
    expect(reasonOf(metric(repeated))).toBe('METRIC_VALUE_INVALID');
  });

  test('a repeated key is told from the same text in another member', () => {
    const twice = '{"temp":1,"temp":2}';
    const copy = payloadText({ metrics: twice });
    expect(reasonOf(envelopeText(copy).replace('{', `{"copy":${JSON.stringify(copy)},`))).toBe(
      'METRIC_KEY_INVALID',
    );
    expect(reasonOf(envelopeText(copy).replace('{', `{"copy":${copy},`))).toBe('BAD_ENVELOPE');
  });

  test('nesting: 32 deep is read, 33 is not, 20,000 neither', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(reasonOf(message({ note: nested(31) }))).toBe('accept');
    expect(reasonOf(message({ note: nested(32) }))).toBe('BAD_ENVELOPE');
    expect(reasonOf(message({ note: nested(20_000) }))).toBe('BAD_ENVELOPE');
    const embedded = (depth: number) => envelopeText(JSON.stringify(payloadText({ note: nested(depth) })));
    expect(reasonOf(embedded(31))).toBe('accept');
    expect(reasonOf(embedded(32))).toBe('BAD_ENVELOPE');
  });

  test('__proto__ keys', () => {
    expect(reasonOf(message({ __proto: '1', note: '{"__proto__":{"a":1}}' }))).toBe('BAD_ENVELOPE');
    expect(reasonOf(message({ note: '{"\\u005f_proto__":1}' }))).toBe('BAD_ENVELOPE');
    expect(reasonOf(message({ metrics: '{"__proto__":1}' }))).toBe('BAD_ENVELOPE');
  });
});

describe('what can be stored is kept as sent', () => {
  test.each([
    '9007199254740993',
    '12345678901234567890',
    '0.1234567890123456789',
    '1.10',
    '1E5',
    '-0',
    '1e308',
  ])('the number %s', (text) => {
    const reading = readingOf(message({ metrics: `{ "temp" : ${text} }`, note: text }));
    expect(reading.metricsText).toBe(`{ "temp" : ${text} }`);
    expect(reading.extraText).toBe(`{"note":${text}}`);
    expect(Number(JSON.stringify(reading.metrics.temp))).toBe(Number(text) + 0);
  });

  test('a big integer among the metrics prints exactly', () => {
    expect(JSON.stringify(readingOf(metric('9007199254740993')).metrics)).toBe('{"temp":9007199254740993}');
  });

  test.each(['null', 'true', '""', '"é😀\\u20ac"', `"${'x'.repeat(1024)}"`])('the metric %s', (text) => {
    expect(readingOf(metric(text)).metricsText).toBe(`{"temp":${text}}`);
  });

  test('white space and escapes of what is kept, the token cut out', () => {
    const reading = readingOf(message({ note: '[ 1 ,"\\u00e9"]', more: '{"b":1.0}' }));
    expect(reading.extraText).toBe('{"note":[ 1 ,"\\u00e9"],"more":{"b":1.0}}');
  });
});

describe('other members of the payload', () => {
  const extraOf = (members: Record<string, string>) => readingOf(message(members)).extraText;

  test('what has a column is not kept twice', () => {
    expect(extraOf({ ts: '1767225600000', seq: '3', version: '1' })).toBeUndefined();
    expect(readingOf(message({ seq: '3' })).seq).toBe(3);
  });

  test.each(['-1', '1.5', '"3"', 'null', '9007199254740992', '1e400'])('the seq %s stays as sent', (seq) => {
    expect(readingOf(message({ seq })).seq).toBeUndefined();
    expect(extraOf({ seq })).toBe(`{"seq":${seq}}`);
  });

  test.each(['1767225600000000001', '1767225600.1234567', '"2026-01-01T00:00:00.123456789Z"'])(
    'the ts %s is finer than the column and stays',
    (ts) => {
      expect(extraOf({ ts })).toBe(`{"ts":${ts}}`);
    },
  );

  test.each([
    '1767225600',
    '1767225600.5',
    '1767225600123.456',
    '1767225600000000000',
    '"2026-01-01T00:00:00.123456Z"',
  ])('the ts %s does not', (ts) => {
    expect(extraOf({ ts })).toBeUndefined();
  });

  test('the address of a batch item goes, another one stays', () => {
    expect(extraOf({ tenant_id: '"t1"', device_id: '"d1"', msg_type: '"telemetry"' })).toBeUndefined();
    expect(extraOf({ device_id: '"d2"' })).toBe('{"device_id":"d2"}');
  });

  test('a token below the top level would be stored: refused', () => {
    expect(verdictOn(message({ auth: '{"x":[{"provision_token":"abc"}]}' }))).toEqual({
      reason: 'BAD_ENVELOPE',
      detail: 'The provision token stands elsewhere in the payload too.',
    });
    expect(reasonOf(message({ auth: '{"provision\\u005ftoken":"abc"}' }))).toBe('BAD_ENVELOPE');
    expect(reasonOf(message({ note: '"provision_token"' }))).toBe('accept');
  });

  test('so is the token under any other key, however spelled', () => {
    const spelled = JSON.stringify(`x${token}`);
    const escaped = spelled.replace('r', String.raw`\u0072`);
    for (const text of [spelled, escaped]) {
      expect(reasonOf(message({ note: `[${text}]` }))).toBe('BAD_ENVELOPE');
      expect(reasonOf(message({ note: `{${text}:1}` }))).toBe('BAD_ENVELOPE');
      expect(reasonOf(message({ metrics: `{"a":${text}}` }))).toBe('METRIC_VALUE_INVALID');
      expect(reasonOf(message({ metrics: `{${text}:1}` }))).toBe('METRIC_KEY_INVALID');
      expect(reasonOf(message({ site_id: text }))).toBe('MISSING_SITE_ID');
    }
  });
});
