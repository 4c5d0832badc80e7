import { describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  contentIdentity,
  encodeMsgId,
  identify,
  keyIdentity,
  type MessageToIdentify,
  parseMsgId,
  sequenceIdentity,
} from '../../src/model/identity.ts';

const hex32 = /^[0-9a-f]{32}$/;

function message(payloadText: string, over: Partial<MessageToIdentify> = {}): MessageToIdentify {
  const base = { tenantId: 't1', deviceId: 'd1', msgType: 'telemetry', token: 'tok', randomBytes };
  return { ...base, payloadText, payload: JSON.parse(payloadText), ...over };
}

describe('which identity a message gets', () => {
  test('a key wins over ts and seq, the header over msg_id', () => {
    const text = '{"msg_id":"m","ts":1,"seq":2}';
    const byHeader = identify(message(text, { idempotencyKey: 'h' }));
    expect(byHeader.kind).toBe('key');
    expect(byHeader.identity).not.toBe(identify(message(text)).identity);
    expect(byHeader.identity).toBe(identify(message('{"msg_id":"h"}')).identity);
    expect(identify(message(text)).kind).toBe('key');
  });

  test('a msg_id that is no string of 1 to 200 characters is ordinary data', () => {
    for (const msgId of ['1', 'null', '""', '{}', JSON.stringify('x'.repeat(201))]) {
      expect(identify(message(`{"msg_id":${msgId}}`)).kind).toBe('fresh');
    }
    expect(identify(message(JSON.stringify({ msg_id: 'x'.repeat(200) }))).kind).toBe('key');
    expect(identify(message('{}', { idempotencyKey: '' })).kind).toBe('fresh');
  });

  test('ts and seq together identify by content, one alone does not', () => {
    expect(identify(message('{"ts":"2026-01-01T00:00:00Z","seq":0}')).kind).toBe('content');
    for (const text of [
      '{"ts":1}',
      '{"seq":1}',
      '{"ts":null,"seq":1}',
      '{"ts":1,"seq":{}}',
      '{"ts":"","seq":1}',
    ]) {
      expect(identify(message(text)).kind).toBe('fresh');
    }
  });

  test('fresh ones differ each time and hash no body', () => {
    const [a, b] = [identify(message('{}')), identify(message('{}'))];
    expect(a.identity).toMatch(hex32);
    expect(a.identity).not.toBe(b.identity);
    expect(a.bodyHash).toBeUndefined();
  });

  test('the same content over another door has the same identity, another body has not', () => {
    const http = identify(message('{"ts":1767225600,"seq":7,"metrics":{"a":1.0}}'));
    const batch = identify(
      message(
        '{"tenant_id":"t1","device_id":"d1","metrics":{"a":1},"seq":7,"ts":1767225600,"provision_token":"tok"}',
      ),
    );
    expect(batch).toEqual(http);
    expect(identify(message('{"ts":1767225600,"seq":7,"metrics":{"a":2}}'))).not.toEqual(http);
  });

  test('one key with two bodies is one identity with two body hashes, also past 2^53', () => {
    const [a, b] = ['12345678901234567890', '12345678901234567891'].map((n) =>
      identify(message(`{"msg_id":"m","metrics":{"n":${n}}}`)),
    );
    expect(a?.identity).toBe(b?.identity ?? '');
    expect(a?.bodyHash).not.toBe(b?.bodyHash);
  });

  test('tenant, device, type and token are all part of it', () => {
    const variants = [
      {},
      { tenantId: 't2' },
      { deviceId: 'd2' },
      { msgType: 'heartbeat' },
      { token: 'other' },
    ];
    for (const text of ['{"msg_id":"m"}', '{"ts":1,"seq":1}']) {
      const identities = variants.map((variant) => identify(message(text, variant)).identity);
      expect(new Set(identities).size).toBe(variants.length);
    }
  });
});

test('no two lists of parts collide, wherever the boundaries lie', () => {
  const part = fc.string({ unit: fc.constantFrom('a', '"', ',', '\0', '\\', '\ud800', '\udc00', '\ufffd') });
  const list = fc.tuple(part, part, part, part, part);
  const keyOf = ([tenantId, deviceId, msgType, tokenSha256, key]: string[]) =>
    keyIdentity({
      tenantId: tenantId ?? '',
      deviceId: deviceId ?? '',
      msgType: msgType ?? '',
      tokenSha256: tokenSha256 ?? '',
      key: key ?? '',
    });
  fc.assert(
    fc.property(list, list, (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(a.every((text, index) => text === b[index]));
    }),
    { numRuns: 2000 },
  );
});

test('a separator inside a part is no boundary', () => {
  const sender = { msgType: 'telemetry', tokenSha256: '', key: 'k' };
  for (const separator of ['\0', ',', '","', '/', '\\"']) {
    const one = keyIdentity({ ...sender, tenantId: `a${separator}b`, deviceId: 'c' });
    expect(one).not.toBe(keyIdentity({ ...sender, tenantId: 'a', deviceId: `b${separator}c` }));
  }
});

test('moving a character over a boundary gives another identity', () => {
  const sender = { msgType: 'telemetry', tokenSha256: '', key: 'k' };
  const text = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const one = keyIdentity({ ...sender, tenantId: a, deviceId: b });
      const other = keyIdentity({ ...sender, tenantId: a + b.slice(0, 1), deviceId: b.slice(1) });
      expect(one).not.toBe(other);
    }),
  );
});

test('kinds do not meet: the same parts as key, content and sequence differ', () => {
  const sender = { tenantId: 't', deviceId: 'd', msgType: 'telemetry', tokenSha256: 'x' };
  const identities = [
    keyIdentity({ ...sender, key: '1' }),
    contentIdentity({ ...sender, ts: 1, seq: 1, bodyHash: '1' }),
    contentIdentity({ ...sender, ts: '1', seq: 1, bodyHash: '1' }),
    sequenceIdentity({ stream: 'TELEMETRY', seq: 1, timestampNs: 1n }),
    sequenceIdentity({ stream: 'TELEMETRY', seq: 1, timestampNs: 2n }),
    sequenceIdentity({ stream: 'TELEMETRY', seq: 2, timestampNs: 1n }),
    sequenceIdentity({ stream: 'OTHER', seq: 1, timestampNs: 1n }),
  ];
  expect(new Set(identities).size).toBe(identities.length);
  for (const identity of identities) expect(identity).toMatch(hex32);
});

describe('the Nats-Msg-Id header', () => {
  test('what was encoded is read back', () => {
    for (const text of ['{"msg_id":"m"}', '{"ts":1,"seq":1}', '{}']) {
      const identified = identify(message(text));
      expect(parseMsgId(encodeMsgId(identified))).toEqual(identified);
    }
  });

  test('anything else is not ours', () => {
    const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
    for (const id of [
      '',
      'x',
      `k1.${a}`,
      `k2.${a}.${b}`,
      `f1.${a}.${b}`,
      `K1.${a}.${b}`,
      `k1.${a}.${b}\n`,
      `s1.${a}`,
    ]) {
      expect(parseMsgId(id)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (id) => expect(parseMsgId(id)).toBeUndefined()));
  });
});
