import { expect, test } from 'bun:test';
import { checkMessages } from '../../../src/prove/check/check-messages.ts';
import type { QuarantineRow, StoredRow } from '../../../src/prove/check/rows.ts';
import type { JournalEntry } from '../../../src/prove/journal.ts';
import { extraOf, identityOf, type ProveMessage } from '../../../src/prove/load/message.ts';
import type { BrokerEvidence } from '../../../src/prove/stack/broker.ts';

const device = { tenantId: 't', deviceId: 'd', siteId: 's', token: 'token' };
const keyed: ProveMessage = {
  n: 7,
  door: 'http',
  class: 'key_ts',
  device,
  token: 'token',
  msgType: 'telemetry',
  key: 'k-7',
  ts: 1_767_225_600_000,
  seq: undefined,
  metrics: { n: 7, level: 1.5 },
  destiny: 'stored',
};
const fresh: ProveMessage = { ...keyed, class: 'none', key: undefined, ts: undefined };
const stranger: ProveMessage = { ...keyed, destiny: 'UNREGISTERED_DEVICE' };

function entry(message: ProveMessage, counts: Partial<JournalEntry> = {}): JournalEntry {
  return {
    message,
    attempts: 1,
    firstStartedMs: 0,
    yes: 1,
    lastYesMs: 0,
    no: 0,
    unknown: 0,
    lastWhy: undefined,
    lastEndedAtMs: 0,
    ...counts,
  };
}

function row(message: ProveMessage, more: Partial<StoredRow> = {}): StoredRow {
  return {
    n: message.n,
    identity: identityOf(message) ?? 'f'.repeat(32),
    tenantId: 't',
    deviceId: 'd',
    siteId: 's',
    msgType: 'telemetry',
    seq: message.seq,
    metrics: '{"n": 7, "level": 1.50}',
    extra: JSON.stringify(extraOf(message)),
    timeMs: message.ts ?? 5,
    arrivedAtMs: 5,
    position: '1/1',
    ...more,
  };
}

const refused = (more: Partial<QuarantineRow> = {}): QuarantineRow => ({
  n: 7,
  reason: 'UNREGISTERED_DEVICE',
  detail: '',
  position: '1/9',
  ...more,
});

const kinds = (own: JournalEntry, stored: StoredRow[], quarantined: QuarantineRow[] = []) =>
  checkMessages([own], { stored, quarantined }).violations.map(({ kind }) => kind);

test('a yes with its one row is as it should be, and so is an unknown outcome with or without one', () => {
  expect(kinds(entry(keyed), [row(keyed)])).toEqual([]);
  expect(kinds(entry(keyed, { unknown: 2 }), [row(keyed)])).toEqual([]);
  expect(kinds(entry(stranger), [], [refused()])).toEqual([]);
});

test('a yes without a row is lost', () => {
  expect(kinds(entry(keyed), [])).toEqual(['lost']);
  expect(kinds(entry(stranger), [])).toEqual(['lost']);
  expect(kinds(entry(fresh, { yes: 2 }), [row(fresh)])).toEqual(['lost']);
});

test('a second row is doubled, whatever its identity says', () => {
  expect(
    kinds(entry(keyed, { yes: 2, unknown: 3 }), [row(keyed), row(keyed, { position: '1/2' })]),
  ).toContain('doubled');
  const other = row(keyed, { position: '1/2', identity: 'e'.repeat(32) });
  expect(kinds(entry(keyed, { yes: 2 }), [row(keyed), other])).toContain('doubled');
});

test('of a message without identity each send may be a row, and no more', () => {
  const second = row(fresh, { position: '1/2', identity: 'e'.repeat(32) });
  expect(kinds(entry(fresh, { unknown: 1 }), [row(fresh), second])).toEqual([]);
  expect(kinds(entry(fresh), [row(fresh), second])).toEqual(['doubled']);
});

test('two rows of one stream position are doubled, also one stored and one quarantined', () => {
  expect(kinds(entry(stranger, { yes: 2 }), [], [refused(), refused()])).toEqual(['doubled']);
  expect(kinds(entry(keyed), [row(keyed)], [refused({ position: '1/1' })])).toContain('doubled');
});

test('a row that nobody sent is foreign', () => {
  expect(kinds(entry(keyed), [row(keyed), row(keyed, { n: 8, position: '1/2', identity: '0' })])).toEqual([
    'foreign',
  ]);
  expect(kinds(entry(keyed), [row(keyed)], [refused({ n: undefined })])).toEqual(['foreign']);
});

test('each value that is not as sent is seen', () => {
  const changes: Partial<StoredRow>[] = [
    { metrics: '{"n": 7, "level": 1.51}' },
    { metrics: '{"n": 7}' },
    { siteId: 'other' },
    { tenantId: 'other' },
    { deviceId: 'other' },
    { msgType: 'heartbeat' },
    { seq: 1 },
    { timeMs: 1_767_225_600_001 },
    { extra: undefined },
    { extra: JSON.stringify({ ...extraOf(keyed), msg_id: 'k-8' }) },
    { extra: JSON.stringify({ ...extraOf(keyed), tags: [] }) },
    { identity: 'e'.repeat(32) },
  ];
  for (const change of changes) expect(kinds(entry(keyed), [row(keyed, change)])).toEqual(['changed']);
});

test('stored instead of quarantined, quarantined instead of stored, or for another reason: misplaced', () => {
  expect(kinds(entry(stranger), [row(stranger)])).toEqual(['misplaced']);
  expect(kinds(entry(keyed), [], [refused()])).toEqual(['misplaced']);
  expect(kinds(entry(stranger), [], [refused({ reason: 'RATE_LIMITED' })])).toEqual(['misplaced']);
});

test('what never got a yes is stuck', () => {
  const [violation] = checkMessages([entry(keyed, { yes: 0, unknown: 5, lastWhy: '503 later' })], {
    stored: [],
    quarantined: [],
  }).violations;
  expect(violation).toMatchObject({ kind: 'stuck', identity: identityOf(keyed) });
  expect(violation?.what).toContain('503 later');
});

/** A broker that was killed at 1,000, and heard of a bridge again at 2,000. */
const broker = (more: Partial<BrokerEvidence> = {}, saved: readonly number[] = []): BrokerEvidence => ({
  isShared: true,
  hasAcknowledged: () => false,
  hasDelivered: () => false,
  subscribedAfter: () => 2_000,
  deaths: [{ goneAtMs: 1_000, saved: new Set(saved), storeAgeMs: 900 }],
  ...more,
});

const lostTo = (evidence: BrokerEvidence, lastYesMs: number) => {
  const none = { stored: [], quarantined: [] };
  const { violations, forgotten } = checkMessages([entry(keyed, { lastYesMs })], none, evidence);
  expect(violations.length + forgotten.length).toBe(1);
  return violations[0]?.kind ?? forgotten[0]?.what;
};
const isSeven = (n: number) => n === 7;

test('what the broker lost with itself is told apart from what we lost, by its store and by what the bridge said', () => {
  expect(lostTo(broker(), 990)).toBe(
    'message 7: the broker’s PUBACK came 10 ms before it was gone, and it left a store written 900 ms before, ' +
      'without the message; no bridge has acknowledged it',
  );
  expect(lostTo(broker({}, [7]), 990)).toBe('lost');
  expect(lostTo(broker({ hasAcknowledged: isSeven }), 990)).toBe('lost');
  expect(lostTo(broker({ deaths: [] }), 990)).toBe('lost');
});

test('what the broker answered when it knew no subscription is told apart, by what it never sent', () => {
  expect(lostTo(broker(), 1_900)).toBe(
    'message 7: the broker’s PUBACK came after its restart, 100 ms before a bridge had subscribed again, and it ' +
      'never sent the message to one; no bridge has acknowledged it',
  );
  expect(lostTo(broker(), 2_600)).toBe('lost');
  expect(lostTo(broker({ hasDelivered: isSeven }), 1_900)).toBe('lost');
  expect(lostTo(broker({ hasAcknowledged: isSeven }), 1_900)).toBe('lost');
  expect(lostTo(broker({ isShared: false }), 1_900)).toBe('lost');
});

test('what a broker delivers again is one row with an identity, and may be several without', () => {
  const twice = (message: ProveMessage) => [
    row(message, { position: '1/1' }),
    row(message, { position: '1/2', identity: identityOf(message) ?? 'e'.repeat(32) }),
  ];
  const found = (message: ProveMessage) =>
    checkMessages([entry(message)], { stored: twice(message), quarantined: [] }, broker()).violations;
  expect(found(fresh)).toEqual([]);
  expect(found(keyed).map(({ kind }) => kind)).toContain('doubled');
});
