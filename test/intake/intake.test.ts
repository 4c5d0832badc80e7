import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { Registry } from 'prom-client';
import type { Admission } from '../../src/intake/admission.ts';
import { createIntake, type IncomingMessage, type IntakeOptions } from '../../src/intake/intake.ts';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import { parseMsgId } from '../../src/model/identity.ts';
import { createIntakeMetrics } from '../../src/observe/intake.ts';
import type { PublishResult } from '../../src/stream/publisher.ts';
import { silent, startTestStream, storedMessages, testPublisher } from '../stream/stream-fixture.ts';

const everybody: Admission = { admit: () => undefined };

function messageOf(payloadText: string, fields: Partial<IncomingMessage> = {}): IncomingMessage {
  return {
    source: 'http',
    tenantId: 't1' as TenantId,
    deviceId: 'aa:bb.cc' as DeviceId,
    msgType: 'telemetry',
    username: '',
    token: 'tok',
    idempotencyKey: undefined,
    payloadText,
    payload: JSON.parse(payloadText),
    ...fields,
  };
}

function intakeWith(overrides: Partial<IntakeOptions> & Pick<IntakeOptions, 'publisher'>) {
  return createIntake({
    admission: everybody,
    backlog: { current: () => undefined },
    clock: () => 1_767_225_600_000,
    random: () => 0.5,
    randomBytes,
    log: silent,
    ...overrides,
  });
}

const answering = (result: PublishResult): IntakeOptions['publisher'] => ({
  publish: () => Promise.resolve(result),
  disconnectedForMs: 0,
});

test('the envelope in the stream is the documented one, the payload byte for byte as sent', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  const intake = intakeWith({ publisher });
  const payloadText =
    '{"provision_token":"tok", "site_id":"s1","metrics":{"temp":1.10,"big":12345678901234567890}}';
  const result = await intake.accept(messageOf(payloadText, { username: 'u"1\ud800', source: 'mqtt' }));
  expect(result).toMatchObject({ ok: true, seq: 1, duplicate: false });
  const [stored] = await storedMessages(stream.nc);
  expect(stored?.subject).toBe('telemetry.t1');
  expect(stored?.text).toBe(
    '{"topic":"tenant/t1/device/aa:bb.cc/telemetry","tenant_id":"t1","device_id":"aa:bb.cc",' +
      `"msg_type":"telemetry","username":"u\\"1\\ud800","payload":${payloadText},"ts":1767225600000}`,
  );
  expect(result.ok && parseMsgId(stored?.msgId ?? '')?.identity === result.identified.identity).toBe(true);
  await publisher.drain();
});

test('all tries of a source that tries again by itself are one message, which arrived at the first', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  const intake = intakeWith({ publisher });
  const firstTry = { identity: randomBytes(16), arrivedAtMs: 1_767_000_000_000 };
  const message = messageOf('{"site_id":"s1"}', { source: 'mqtt-bridge', firstTry });
  expect(await intake.accept(message)).toMatchObject({ ok: true, duplicate: false });
  expect(await intake.accept(message)).toMatchObject({ ok: true, seq: 1, duplicate: true });
  const [stored, ...more] = await storedMessages(stream.nc);
  expect(more).toEqual([]);
  expect(stored?.msgId).toBe(`f1.${firstTry.identity.toString('hex')}`);
  expect(JSON.parse(stored?.text ?? '').ts).toBe(firstTry.arrivedAtMs);
  await publisher.drain();
});

test('bytes that are no text travel in base64', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  const binary = messageOf('null', { source: 'mqtt', payload: {}, payloadBase64: '/w==' });
  expect(await intakeWith({ publisher }).accept(binary)).toMatchObject({ ok: true, seq: 1 });
  const [stored] = await storedMessages(stream.nc);
  expect(JSON.parse(stored?.text ?? '')).toMatchObject({ payload: null, payload_b64: '/w==' });
  await publisher.drain();
});

test('one key and one body are stored once; the same key with another body, or no key, is another message', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  const intake = intakeWith({ publisher });
  const [one, two] = ['{"site_id":"s1","metrics":{"a":1}}', '{"site_id":"s1","metrics":{"a":2}}'];
  const keyed = { idempotencyKey: 'k1' };
  const outcomes = [];
  for (const message of [
    messageOf(one, keyed),
    messageOf(one, keyed),
    messageOf(two, keyed),
    messageOf(one),
    messageOf(one),
  ]) {
    outcomes.push(await intake.accept(message));
  }
  expect(outcomes.map((outcome) => outcome.ok && [outcome.seq, outcome.duplicate])).toEqual([
    [1, false],
    [1, true],
    [2, false],
    [3, false],
    [4, false],
  ]);
  await publisher.drain();
});

test('what cannot be made durable is refused with the code and pause that fit', async () => {
  const whys = [
    'overloaded',
    'disconnected',
    'timeout',
    'stream_full',
    'tenant_full',
    'no_stream',
    'refused',
  ];
  for (const why of whys as Extract<PublishResult, { ok: false }>['why'][]) {
    const result = await intakeWith({ publisher: answering({ ok: false, why, known: true }) }).accept(
      messageOf('{}'),
    );
    expect(result).toMatchObject({ ok: false, refusal: 'unavailable', detail: why });
    expect(!result.ok && result.retryAfterSeconds).toBeWithin(1, 61);
  }
  const tooLarge = answering({ ok: false, why: 'too_large', known: true, detail: 'of 5 bytes' });
  expect(await intakeWith({ publisher: tooLarge }).accept(messageOf('{}'))).toEqual({
    ok: false,
    refusal: 'too_large',
    detail: 'too_large, of 5 bytes',
  });
  const unknown = answering({ ok: false, why: 'timeout', known: false });
  expect(await intakeWith({ publisher: unknown }).accept(messageOf('{}'))).toMatchObject({
    detail: 'timeout, outcome unknown',
  });
});

test('whom admission turns away is not published, and every answer is counted', async () => {
  const registry = new Registry();
  let published = 0;
  const intake = intakeWith({
    admission: {
      admit: ({ token }) =>
        token === 'tok' ? undefined : { refusal: 'unknown_tenant_limit', retryAfterSeconds: 7 },
    },
    publisher: {
      disconnectedForMs: 0,
      publish: () => {
        published++;
        return Promise.resolve({ ok: true, seq: 1, duplicate: false });
      },
    },
    metrics: createIntakeMetrics(registry),
  });
  expect(await intake.accept(messageOf('{}', { token: 'x', source: 'batch' }))).toEqual({
    ok: false,
    refusal: 'unknown_tenant_limit',
    retryAfterSeconds: 7,
  });
  expect(published).toBe(0);
  await intake.accept(messageOf('{}'));
  const text = await registry.metrics();
  expect(text).toContain('tributary_intake_messages_total{source="batch",outcome="unknown_tenant_limit"} 1');
  expect(text).toContain('tributary_intake_messages_total{source="http",outcome="accepted"} 1');
});

test('a fault of our own is an answer too, never a throw', async () => {
  const intake = intakeWith({
    publisher: answering({ ok: true, seq: 1, duplicate: false }),
    randomBytes: () => {
      throw new Error('no entropy');
    },
  });
  expect(await intake.accept(messageOf('{}'))).toMatchObject({ ok: false, refusal: 'unavailable' });
});
