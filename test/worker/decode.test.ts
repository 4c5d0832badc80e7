import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { encodeMsgId, identify, sequenceIdentity } from '../../src/model/identity.ts';
import { hashToken } from '../../src/model/token.ts';
import type { RawMessage } from '../../src/model/verdict.ts';
import { decode } from '../../src/worker/decode.ts';
import { judge } from '../../src/worker/judge/judge.ts';
import {
  arrivedAtMs,
  deviceOf,
  envelopeOf,
  goodPayload,
  type Loose,
  options,
  payloadText,
  rawOf,
  readingOf,
  reasonOf,
  registryOf,
  token,
  verdictOn,
} from './messages.ts';

const decoded = (envelope: Loose | string | Uint8Array, changes?: Partial<RawMessage>) =>
  decode(rawOf(envelope, changes), options);

describe('a reading', () => {
  test('holds what the message said', () => {
    const message = envelopeOf({}, { ts: '2025-12-31T23:59:59.5+00:00', seq: 4, note: 'x' });
    expect(readingOf(message)).toMatchObject({
      tenantId: 't1',
      deviceId: 'd1',
      siteId: 's1',
      msgType: 'telemetry',
      timeUs: (arrivedAtMs - 500) * 1000,
      arrivedAtMs,
      seq: 4,
      metricsText: '{"temp":22}',
      metrics: { temp: 22 },
      extraText: '{"note":"x"}',
    });
  });

  test('without ts has the time of its arrival', () => {
    expect(readingOf(envelopeOf()).timeUs).toBe(arrivedAtMs * 1000);
  });

  test('a heartbeat needs no metrics, but may have some', () => {
    const heartbeat = (metrics: unknown) =>
      envelopeOf({ msg_type: 'heartbeat', topic: 'tenant/t1/device/d1/heartbeat' }, { metrics });
    expect(readingOf(heartbeat(undefined)).metricsText).toBe('{}');
    expect(readingOf(heartbeat({ uptime: 3 })).metricsText).toBe('{"uptime":3}');
    expect(reasonOf(heartbeat(null))).toBe('METRICS_INVALID');
  });

  test('telemetry may have an empty metrics object', () => {
    expect(readingOf(envelopeOf({}, { metrics: {} })).metricsText).toBe('{}');
  });

  test('a year-old and a barely future time are taken, older than the retention and further ahead not', () => {
    const at = (offsetMs: number) => reasonOf(envelopeOf({}, { ts: arrivedAtMs + offsetMs }));
    const day = 86_400_000;
    expect([at(-365 * day), at(-400 * day), at(day)]).toEqual(['accept', 'accept', 'accept']);
    expect([at(-400 * day - 1), at(day + 1)]).toEqual(['TIMESTAMP_OUT_OF_RANGE', 'TIMESTAMP_OUT_OF_RANGE']);
  });
});

describe('envelopes that somebody else published', () => {
  test('extra fields, no username, no ts', () => {
    const message = envelopeOf({ username: undefined, ts: undefined, qos: 1, clientid: 'a\0', flags: [{}] });
    expect(reasonOf(message)).toBe('accept');
    expect(readingOf(message).arrivedAtMs).toBe(arrivedAtMs + 3);
  });

  test('a payload that is a JSON string is read exactly', () => {
    const text = payloadText({ metrics: '{ "temp": 9007199254740993 }', note: '1.0' });
    const reading = readingOf(envelopeOf({ payload: text }));
    expect(reading.metricsText).toBe('{ "temp": 9007199254740993 }');
    expect(reading.extraText).toBe('{"note":1.0}');
    expect(reasonOf(envelopeOf({ payload: text }))).toBe('accept');
  });

  test.each([
    ['no payload', { payload: undefined }, 'no payload'],
    ['payload_b64', { payload: undefined, payload_b64: 'e30=' }, 'payload_b64'],
    ['a string that is not JSON', { payload: '{"site_id"' }, 'not JSON'],
    ['a string that is no object', { payload: '[1]' }, 'not a JSON object'],
    ['a string in a string', { payload: '"{}"' }, 'not a JSON object'],
    ['a string with a key twice', { payload: '{"a":1,"a":2}' }, 'more than once'],
    ['an array', { payload: [] }, 'neither'],
    ['null', { payload: null }, 'no payload'],
    ['bytes of a device', { payload: null, payload_b64: 'e30=' }, 'payload_b64'],
    ['a number', { payload: 17 }, 'neither'],
    ['no topic', { topic: undefined }, 'topic is nothing'],
    ['no tenant_id', { tenant_id: undefined }, 'tenant_id is nothing'],
    ['a device_id that is a number', { device_id: 17 }, 'device_id is 17'],
  ])('%s: BAD_ENVELOPE', (_, changes, detail) => {
    expect(verdictOn(envelopeOf(changes))).toEqual({
      reason: 'BAD_ENVELOPE',
      detail: expect.stringContaining(detail),
    });
  });

  test.each(['', 'x', '[]', '17', 'null', '1e400', '"{}"', '{"topic":', '\ufeff{}'])(
    '%j: BAD_ENVELOPE',
    (text) => {
      expect(reasonOf(text)).toBe('BAD_ENVELOPE');
    },
  );

  test('a payload that is a number beyond a double is no object', () => {
    expect(reasonOf(JSON.stringify(envelopeOf({ payload: '@' })).replace('"@"', '1e400'))).toBe(
      'BAD_ENVELOPE',
    );
  });

  test('metrics that are a number beyond a double are no object', () => {
    expect(reasonOf(JSON.stringify(envelopeOf({}, { metrics: '@' })).replace('"@"', '1e400'))).toBe(
      'METRICS_INVALID',
    );
  });

  test('bytes that are not UTF-8', () => {
    expect(reasonOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))).toBe('BAD_ENVELOPE');
  });

  test('no msg_type, or another than the topic’s', () => {
    expect(reasonOf(envelopeOf({ msg_type: undefined }))).toBe('UNSUPPORTED_MSG_TYPE');
    expect(reasonOf(envelopeOf({ msg_type: 'heartbeat' }))).toBe('UNSUPPORTED_MSG_TYPE');
    expect(reasonOf(envelopeOf({ topic: 'tenant/t1/device/d1/status' }))).toBe('UNSUPPORTED_MSG_TYPE');
  });

  test.each([
    'tenant/t1/device/d1',
    'tenant/t1/device/d1/telemetry/x',
    'tenants/t1/device/d1/telemetry',
    'tenant/t1/device/d 1/telemetry',
    'tenant//device/d1/telemetry',
    'tenant/_t1/device/d1/telemetry',
    `tenant/t1/device/${'d'.repeat(129)}/telemetry`,
    'tenant/t1\u0000/device/d1/telemetry',
  ])('the topic %j: BAD_TOPIC_FORMAT', (topic) => {
    expect(reasonOf(envelopeOf({ topic }))).toBe('BAD_TOPIC_FORMAT');
  });

  test('a device whose id is its token is refused without naming it', () => {
    const message = envelopeOf({ topic: `tenant/t1/device/${token}/telemetry`, device_id: token });
    expect(verdictOn(message)).toEqual({
      reason: 'BAD_TOPIC_FORMAT',
      detail: 'The topic holds the provision token.',
    });
  });

  test('subject, topic and envelope must name the same', () => {
    expect(reasonOf(rawOf(envelopeOf(), { subject: 'telemetry.t2' }))).toBe('TENANT_MISMATCH');
    expect(reasonOf(rawOf(envelopeOf(), { subject: 'telemetry.t1.x' }))).toBe('TENANT_MISMATCH');
    expect(reasonOf(envelopeOf({ tenant_id: 't2' }))).toBe('TENANT_MISMATCH');
    expect(reasonOf(envelopeOf({ device_id: 'd2' }))).toBe('TENANT_MISMATCH');
    expect(reasonOf(envelopeOf({ topic: 'tenant/t2/device/d1/telemetry' }))).toBe('TENANT_MISMATCH');
  });

  test.each([['1'], [1], [undefined]])('version %p is read', (version) => {
    expect(reasonOf(envelopeOf({}, { version }))).toBe('accept');
  });

  test.each([['2'], [0], [1.5], [null], [true], ['1.0']])('version %p is not', (version) => {
    expect(reasonOf(envelopeOf({}, { version }))).toBe('UNSUPPORTED_ENVELOPE_VERSION');
    expect(reasonOf(envelopeOf({ version }))).toBe('UNSUPPORTED_ENVELOPE_VERSION');
  });

  test('what the system itself publishes is neither judged nor stored', () => {
    expect(reasonOf(rawOf('{}', { subject: 'telemetry._canary' }))).toBe('internal');
    expect(reasonOf(rawOf('{}', { subject: 'telemetry._other' }))).toBe('BAD_ENVELOPE');
  });
});

describe('the size of a payload', () => {
  const sized = (bytes: number, more: Loose = {}) => {
    const payload = { ...goodPayload, note: '', ...more };
    const spare = bytes - Buffer.byteLength(JSON.stringify({ ...payload, provision_token: undefined }));
    return envelopeOf({ payload: { ...payload, note: 'x'.repeat(spare) } });
  };

  test('counts without the token, which a door adds to a body it has measured', () => {
    expect(reasonOf(sized(options.maxBodyBytes))).toBe('accept');
    expect(reasonOf(sized(options.maxBodyBytes + 1))).toBe('PAYLOAD_TOO_LARGE');
  });

  test('counts bytes, not characters', () => {
    expect(reasonOf(envelopeOf({}, { note: '€'.repeat(1300) }))).toBe('accept');
    expect(reasonOf(envelopeOf({}, { note: '€'.repeat(1400) }))).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('arrival', () => {
  const arrivalWith = (ts: unknown) => decoded(envelopeOf({ ts })).arrivedAtMs - arrivedAtMs;
  const minute = 60_000;

  test('is what the source wrote, within reason', () => {
    expect(
      [0, -1440 * minute + 3, 5 * minute + 3].map((offset) => arrivalWith(arrivedAtMs + offset)),
    ).toEqual([0, -1440 * minute + 3, 5 * minute + 3]);
  });

  test.each([
    [arrivedAtMs - 1440 * minute + 2],
    [arrivedAtMs + 5 * minute + 4],
    [arrivedAtMs / 1000],
    [arrivedAtMs + 0.5],
    [String(arrivedAtMs)],
    [null],
    [-1],
  ])('is the moment JetStream stored it where ts is %p', (ts) => {
    expect(arrivalWith(ts)).toBe(3);
  });
});

describe('identity', () => {
  const sender = { tenantId: 't1', deviceId: 'd1', msgType: 'telemetry', token };
  const random = { randomBytes: (size: number) => new Uint8Array(size).fill(1) };
  const inStream = sequenceIdentity({ stream: 'TELEMETRY', seq: 7, timestampNs: rawOf('').timestampNs });

  test('is the one in Nats-Msg-Id where it is one of ours', () => {
    for (const kind of ['key', 'content', 'fresh'] as const) {
      const identity = {
        kind,
        identity: 'ab'.repeat(16),
        bodyHash: kind === 'fresh' ? undefined : 'cd'.repeat(16),
      };
      expect(decoded(envelopeOf(), { msgId: encodeMsgId(identity) }).identity).toEqual(identity);
      expect(decoded('not json', { msgId: encodeMsgId(identity) }).identity).toEqual(identity);
    }
  });

  test('is found as the doors find it where there is none', () => {
    for (const more of [{ msg_id: 'k1' }, { ts: arrivedAtMs, seq: 3 }]) {
      const payload = { ...goodPayload, ...more };
      const expected = identify({ ...sender, payload, payloadText: JSON.stringify(payload), ...random });
      expect(decoded(envelopeOf({ payload }), { msgId: 'somebody-else' }).identity).toEqual(expected);
      expect(decoded(envelopeOf({ payload })).identity).toEqual(expected);
    }
  });

  test('is the place in the stream where nothing else tells', () => {
    const expected = { kind: 'sequence', identity: inStream, bodyHash: undefined } as const;
    expect(decoded(envelopeOf()).identity).toEqual(expected);
    expect(decoded('not json').identity).toEqual(expected);
  });
});

describe('a detail', () => {
  test('cuts what is long, and escapes what a column, a log or a terminal cannot hold', () => {
    const detailOf = (topic: string) => verdictOn(envelopeOf({ topic }));
    expect(detailOf('x'.repeat(200))).toEqual({
      reason: 'BAD_TOPIC_FORMAT',
      detail: `The topic "${'x'.repeat(80)}"… is not tenant/{tenant_id}/device/{device_id}/{msg_type}.`,
    });
    expect(detailOf('\u0000\u001b\u007f\u009b\u2028\ud800"')).toEqual({
      reason: 'BAD_TOPIC_FORMAT',
      detail: String.raw`The topic "\u0000\u001b\u007f\u009b\u2028\ud800\"" is not tenant/{tenant_id}/device/{device_id}/{msg_type}.`,
    });
    expect(detailOf(`${'x'.repeat(79)}😀`)).toHaveProperty('detail', expect.stringContaining('x\\ud83d"…'));
  });

  test.each([
    [null, 'null'],
    [[1], 'an array'],
    ['x', '"x"'],
    [17, '17'],
    [false, 'false'],
  ])('names what metrics are instead: %j', (metrics, name) => {
    expect(verdictOn(envelopeOf({}, { metrics }))).toEqual({
      reason: 'METRICS_INVALID',
      detail: `The metrics are ${name}, not an object.`,
    });
  });
});

describe('what could be read of a rejected message', () => {
  test('the token’s hash, device and type are there for replay and for the pages', () => {
    expect(decoded(envelopeOf({}, { metrics: 1 }))).toMatchObject({
      tenantId: 't1',
      deviceId: 'd1',
      msgType: 'telemetry',
      arrivedAtMs,
      tokenSha256: hashToken(token),
      result: { form: 'rejected', rejection: { reason: 'METRICS_INVALID' } },
    });
  });

  test('the subject names the tenant, whatever the envelope says', () => {
    expect(decoded('x', { subject: 'telemetry.t9' }).tenantId).toBe('t9');
    expect(decoded(envelopeOf(), { subject: 'telemetry.t9' }).tenantId).toBe('t9');
    expect(decoded(envelopeOf(), { subject: 'telemetry.a b' }).tenantId).toBe('t1');
  });

  test('device and type come from the topic where the envelope names none that may be shown', () => {
    expect(decoded(envelopeOf({ device_id: 'a\0', msg_type: undefined }))).toMatchObject({
      deviceId: 'd1',
      msgType: 'telemetry',
    });
  });
});

describe('whatever arrives', () => {
  const anyJson = fc.jsonValue({ maxDepth: 4 });
  const anyEnvelope = fc
    .record(
      {
        topic: fc.oneof(anyJson, fc.constant('tenant/t1/device/d1/telemetry')),
        tenant_id: fc.oneof(anyJson, fc.constant('t1')),
        device_id: fc.oneof(anyJson, fc.constant('d1')),
        msg_type: fc.oneof(anyJson, fc.constantFrom('telemetry', 'heartbeat')),
        payload: fc.oneof(
          anyJson,
          fc.json(),
          fc.record(
            {
              site_id: fc.oneof(anyJson, fc.constant('s1')),
              ts: fc.oneof(anyJson, fc.double(), fc.string()),
              seq: anyJson,
              version: fc.oneof(anyJson, fc.constant(1)),
              metrics: fc.oneof(anyJson, fc.dictionary(fc.string({ unit: 'binary' }), anyJson)),
              provision_token: anyJson,
              note: fc.string({ unit: 'binary' }),
            },
            { requiredKeys: [] },
          ),
        ),
        ts: fc.oneof(anyJson, fc.double(), fc.constant(arrivedAtMs)),
      },
      { requiredKeys: [] },
    )
    .map((envelope) => new TextEncoder().encode(JSON.stringify(envelope)));
  const anyMessage = fc.record({
    data: fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      anyEnvelope,
      // A good envelope with some bytes changed.
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }).map((changes) => {
        const { data } = rawOf(envelopeOf({}, { ts: arrivedAtMs, note: 'x', list: [1, { a: 2 }] }));
        for (const [at, byte] of changes) data[at % data.length] = byte;
        return data;
      }),
    ),
    subject: fc.oneof(fc.string(), fc.constant('telemetry.t1')),
    msgId: fc.option(fc.string(), { nil: undefined }),
    seq: fc.nat(),
    timestampNs: fc.oneof(fc.bigInt(), fc.constant(rawOf('').timestampNs)),
    deliveryCount: fc.nat(),
  });

  test('decoding and judging never throw, and say something that can be stored', () => {
    fc.assert(
      fc.property(anyMessage, (raw) => {
        const message = decode(raw, options);
        expect(message.identity.identity).toMatch(/^[0-9a-f]{32}$/);
        const verdict = judge(message, registryOf());
        const words = [
          message.tenantId,
          message.deviceId,
          message.msgType,
          verdict.outcome === 'quarantine' ? verdict.rejection.detail : undefined,
        ];
        for (const word of words) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be in there
          expect(word ?? '').not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
          expect((word ?? '').isWellFormed()).toBe(true);
          expect((word ?? '').length).toBeLessThan(600);
        }
      }),
      { numRuns: 2000 },
    );
  });

  const secret = fc
    .string({ unit: 'grapheme', minLength: 16, maxLength: 60 })
    .filter((text) => !JSON.stringify(text).includes('\\') && text.trim().length >= 12);
  /** Members of envelope and payload that a careless device may put its token into. */
  const places = [
    'site_id',
    'ts',
    'version',
    'seq',
    'metrics',
    'note',
    'msg_type',
    'topic',
    'device_id',
    'key',
  ];

  test('no detail ever shows the token, wherever a device put it', () => {
    fc.assert(
      fc.property(
        secret,
        fc.subarray(places, { minLength: 1 }),
        fc.string({ maxLength: 5 }),
        (hidden, chosen, around) => {
          const put = around + hidden + around;
          const inside = Object.fromEntries(chosen.filter((key) => key !== 'key').map((key) => [key, put]));
          const metrics = chosen.includes('key') ? { metrics: { [put]: [put] } } : {};
          const { topic, device_id, msg_type, ...payload } = inside;
          const envelope = envelopeOf(
            JSON.parse(JSON.stringify({ topic, device_id, msg_type })),
            JSON.parse(JSON.stringify({ ...payload, ...metrics, provision_token: hidden })),
          );
          const registry = registryOf([deviceOf({ tokenSha256: hashToken(hidden), siteId: 's9' })]);
          const message = decode(rawOf(envelope), options);
          const verdict = judge(message, registry);
          const said = JSON.stringify([
            message.msgType,
            verdict.outcome === 'quarantine' && verdict.rejection,
          ]);
          expect(said).not.toContain(hidden);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
