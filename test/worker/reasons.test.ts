import { describe, expect, test } from 'bun:test';
import { type Reason, reasons } from '../../src/model/reasons.ts';
import type { RegistryView } from '../../src/model/registry.ts';
import { hashToken } from '../../src/model/token.ts';
import { formChecks } from '../../src/worker/judge/form.ts';
import { registryChecks } from '../../src/worker/judge/judge.ts';
import {
  arrivedAtMs,
  deviceOf,
  envelopeOf,
  type Loose,
  reasonOf,
  registryOf,
  token,
  verdictOn,
} from './messages.ts';

/** How to make a message fail at one check, in envelope, payload or registry, without touching the others. */
interface Fault {
  readonly envelope?: Loose;
  readonly payload?: Loose;
  readonly registry?: RegistryView;
}

const faults: Partial<Record<Reason, Fault>> = {
  BAD_ENVELOPE: { payload: { note: 'a\0b' } },
  BAD_TOPIC_FORMAT: { envelope: { topic: 'tenant/t 1/device/d1/telemetry' } },
  TENANT_MISMATCH: { envelope: { tenant_id: 't2' } },
  UNSUPPORTED_MSG_TYPE: { envelope: { msg_type: 'alarm' } },
  UNSUPPORTED_ENVELOPE_VERSION: { payload: { version: 2 } },
  PAYLOAD_TOO_LARGE: { payload: { note: 'x'.repeat(5000) } },
  MISSING_SITE_ID: { payload: { site_id: undefined } },
  TIMESTAMP_INVALID: { payload: { ts: 'yesterday' } },
  TIMESTAMP_OUT_OF_RANGE: { payload: { ts: arrivedAtMs + 86_400_001 } },
  METRICS_INVALID: { payload: { metrics: undefined } },
  TOO_MANY_METRICS: { payload: { metrics: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1 } } },
  METRIC_KEY_INVALID: { payload: { metrics: { '': 1 } } },
  METRIC_VALUE_INVALID: { payload: { metrics: { temp: [1] } } },
  UNREGISTERED_DEVICE: { registry: registryOf([]) },
  TOKEN_NOT_SET: { registry: registryOf([deviceOf({ tokenSha256: undefined })]) },
  TOKEN_MISSING: { payload: { provision_token: undefined } },
  TOKEN_INVALID: { payload: { provision_token: 'wrong' } },
  DEVICE_REVOKED: { registry: registryOf([deviceOf({ revoked: true })]) },
  SITE_MISMATCH: { registry: registryOf([deviceOf({ siteId: 's2' })]) },
};

/** Found while settling: the key's reuse, the limiter, the database. */
const settledReasons = ['IDENTITY_REUSED', 'RATE_LIMITED', 'STORE_REJECTED'];

describe('a message is quarantined for its first fault', () => {
  test('a message without fault is accepted', () => {
    expect(reasonOf(envelopeOf())).toBe('accept');
  });

  for (const [reason, fault] of Object.entries(faults)) {
    test(reason, () => {
      expect(reasonOf(envelopeOf(fault.envelope, fault.payload), fault.registry)).toBe(reason);
    });
  }

  test('every reason has its fault here, or is found while settling', () => {
    expect([...Object.keys(faults), ...settledReasons]).toEqual(Object.keys(reasons));
  });

  test('checks run in the documented order', () => {
    const checks = [...formChecks, ...registryChecks].map(([reason]) => reason);
    const judged = Object.keys(reasons).filter(
      (reason) => reason !== 'UNREGISTERED_DEVICE' && !settledReasons.includes(reason),
    );
    expect(checks).toEqual(judged as Reason[]);
  });

  // Two faults that sit in different members can be had at once; those in the same member exclude each other.
  const pairs = Object.entries(faults).flatMap(([first, a], index) =>
    Object.entries(faults)
      .slice(index + 1)
      .filter(([, b]) => canBeCombined(a, b))
      .map(([second, b]) => ({ first, second, a, b })),
  );
  test.each(pairs)('$first comes before $second', ({ first, a, b }) => {
    const envelope = envelopeOf({ ...a.envelope, ...b.envelope }, { ...a.payload, ...b.payload });
    expect(reasonOf(envelope, a.registry ?? b.registry)).toBe(first);
  });

  test('details name the value and end as a sentence', () => {
    for (const fault of Object.values(faults)) {
      const verdict = verdictOn(envelopeOf(fault.envelope, fault.payload), fault.registry);
      expect(verdict).toHaveProperty('detail', expect.stringMatching(/^[A-Z].{10,300}\.$/));
    }
  });
});

describe('tokens', () => {
  const previous = deviceOf({
    tokenSha256: hashToken('new'),
    previousTokenSha256: hashToken(token),
    previousTokenUntilMs: arrivedAtMs + 1,
  });

  test('the token before a rotation counts for what arrived within the grace', () => {
    expect(reasonOf(envelopeOf(), registryOf([previous]))).toBe('accept');
    expect(reasonOf(envelopeOf({ ts: arrivedAtMs + 1 }), registryOf([previous]))).toBe('TOKEN_INVALID');
  });

  test('a wrong token is refused during the grace too', () => {
    const message = envelopeOf({}, { provision_token: 'wrong' });
    expect(reasonOf(message, registryOf([previous]))).toBe('TOKEN_INVALID');
  });

  test.each([[null], [17], [''], [['t']]])('%p is no token', (provisionToken) => {
    expect(reasonOf(envelopeOf({}, { provision_token: provisionToken }))).toBe('TOKEN_MISSING');
  });

  test('an endless grace and a nonsensical one are both told without throwing', () => {
    const until = (previousTokenUntilMs: number) => registryOf([{ ...previous, previousTokenUntilMs }]);
    expect(reasonOf(envelopeOf(), until(Number.POSITIVE_INFINITY))).toBe('accept');
    expect(reasonOf(envelopeOf(), until(Number.NEGATIVE_INFINITY))).toBe('TOKEN_INVALID');
  });
});

function canBeCombined(a: Fault, b: Fault): boolean {
  if (a.registry !== undefined && b.registry !== undefined) return false;
  const keysOf = (fault: Fault) => [
    ...Object.keys(fault.envelope ?? {}),
    ...Object.keys(fault.payload ?? {}),
  ];
  return !keysOf(a).some((key) => keysOf(b).includes(key));
}
