import { describe, expect, test } from 'bun:test';
import { type Reason, reasons } from '../../src/model/reasons.ts';
import { hashToken } from '../../src/model/token.ts';
import { decode } from '../../src/worker/decode.ts';
import { judge } from '../../src/worker/judge/judge.ts';
import { createRateLimiter } from '../../src/worker/rate-limiter.ts';
import { arrivedAtMs, deviceOf, envelopeOf, rawOf, registryOf } from './messages.ts';

const page = await Bun.file(new URL('../../docs/reference/reasons.md', import.meta.url)).text();
/** The defaults, which the page speaks of. */
const options = {
  stream: 'TELEMETRY',
  maxBodyBytes: 262_144,
  maxMetrics: 256,
  maxAheadMs: 86_400_000,
  retentionMs: 400 * 86_400_000,
};

const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const [, reason, text] = /^`([A-Z_]+)`\n\n([\s\S]*)$/.exec(section) ?? [];
      return reason === undefined || text === undefined ? [] : [[reason, text] as const];
    }),
);

const registered = deviceOf({ tokenSha256: hashToken('tok') });
const registries: Partial<Record<Reason, ReturnType<typeof registryOf>>> = {
  UNREGISTERED_DEVICE: registryOf([]),
  TOKEN_NOT_SET: registryOf([{ ...registered, tokenSha256: undefined }]),
  DEVICE_REVOKED: registryOf([{ ...registered, revoked: true }]),
};

/** An example that has a `topic` is a whole envelope, any other one the payload of device d1. */
function messageOf(example: string) {
  if (example.includes('"topic"')) return rawOf(example.replace(/}\s*$/, `,"ts":${arrivedAtMs}}`));
  return rawOf(JSON.stringify(envelopeOf({ payload: '@' })).replace('"@"', () => example));
}

function verdictOn(message: ReturnType<typeof rawOf>, reason: Reason) {
  return judge(decode(message, options), registries[reason] ?? registryOf([registered]));
}

describe('docs/reference/reasons.md', () => {
  test('has a section for each reason, in the order of the checks', () => {
    expect([...sections.keys()]).toEqual(Object.keys(reasons));
  });

  for (const [reason, meaning] of Object.entries(reasons) as [Reason, string][]) {
    const section = sections.get(reason) ?? '';
    const example = /```json\n([\s\S]*?)\n```\n> (.*)\n/.exec(section);

    test(`${reason}: says what it means, and what to do`, () => {
      expect(section).toStartWith(`${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.\n`);
      expect(section).toContain('**To do:** ');
    });

    if (example === null) continue;
    test(`${reason}: its example is judged as it says`, () => {
      const [, text = '', detail = ''] = example;
      expect(verdictOn(messageOf(text), reason)).toEqual({
        outcome: 'quarantine',
        rejection: { reason, detail },
      });
    });
  }

  test('only these have no example that can be run', () => {
    const without = [...sections]
      .filter(([, section]) => !section.includes('```json'))
      .map(([reason]) => reason);
    expect(without).toEqual([
      'PAYLOAD_TOO_LARGE',
      'TOO_MANY_METRICS',
      'IDENTITY_REUSED',
      'RATE_LIMITED',
      'STORE_REJECTED',
    ]);
  });

  test('the details of those too long to print are right too', () => {
    const detailOf = (payload: unknown, reason: Reason) => {
      const verdict = verdictOn(messageOf(JSON.stringify(payload)), reason);
      return verdict.outcome === 'quarantine' ? verdict.rejection.detail : '';
    };
    const empty = Buffer.byteLength('{"site_id":"s1","metrics":{},"note":""}');
    const large = { provision_token: 'tok', site_id: 's1', metrics: {}, note: 'x'.repeat(300_000 - empty) };
    const many = Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`m${index + 1}`, index + 1]));
    const limiter = createRateLimiter({
      device: { ratePerSecond: 5, burst: 20 },
      tenant: { ratePerSecond: 5000, burst: 20_000 },
    });
    const message = { tenantId: 't1', deviceId: 'd1', arrivedAtMs };
    const limited = Array.from({ length: 21 }, () => limiter.charge(message, registryOf([]))).at(-1);
    for (const [reason, detail] of [
      ['PAYLOAD_TOO_LARGE', detailOf(large, 'PAYLOAD_TOO_LARGE')],
      [
        'TOO_MANY_METRICS',
        detailOf({ site_id: 's1', metrics: many, provision_token: 'tok' }, 'TOO_MANY_METRICS'),
      ],
      ['RATE_LIMITED', limited?.ok === false ? limited.rejection.detail : ''],
    ] as const) {
      expect(detail).not.toBe('');
      expect(sections.get(reason)).toContain(`\n> ${detail}\n`);
    }
  });
});

describe('the table of what cannot be stored', () => {
  const rows = page
    .slice(page.indexOf('## Stored as sent'))
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line.split(' | ').map((cell) =>
        cell
          .replace(/^\| | \|$/g, '')
          .replaceAll('`', '')
          .trim(),
      ),
    );
  const cell = (row: string, column: number) =>
    rows.find(([name]) => name === row)?.[column] ?? `no row ${row}`;
  /** Puts JSON text where a row of the table says. */
  const places: Record<string, (text: string) => string> = {
    "a metric's value": (text) => `{"site_id":"s1","metrics":{"a":${text}},"provision_token":"tok"}`,
    site_id: (text) => `{"site_id":${text},"metrics":{},"provision_token":"tok"}`,
    ts: (text) => `{"ts":${text},"site_id":"s1","metrics":{},"provision_token":"tok"}`,
    version: (text) => `{"version":${text},"site_id":"s1","metrics":{},"provision_token":"tok"}`,
    provision_token: (text) => `{"site_id":"s1","metrics":{},"provision_token":${text}}`,
    'seq, anything else in the payload': (text) =>
      `{"seq":${text},"note":{"x":[${text}]},"site_id":"s1","metrics":{},"provision_token":"tok"}`,
  };
  const columns = [
    [String.raw`"a\u0000"`, String.raw`"\ud800"`],
    ['1e200000', '-1E-200000'],
    ['1e400', '1e-400'],
  ];

  for (const [row, put] of Object.entries(places)) {
    test(row, () => {
      for (const [index, texts] of columns.entries()) {
        for (const text of texts) {
          const verdict = verdictOn(messageOf(put(text)), 'BAD_ENVELOPE');
          const said = verdict.outcome === 'quarantine' ? verdict.rejection.reason : 'kept exactly';
          expect(cell(row, index + 1).split(', '), text).toContain(said);
        }
      }
    });
  }
});
