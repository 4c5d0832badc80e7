import { expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { type Evidence, fateOf } from '../../src/model/fate.ts';
import { publicRejection } from '../../src/model/public-rejection.ts';
import { createReceiptBook, decodeReceipt, parseReceiptKey, type Receipt } from '../../src/model/receipt.ts';

const key = Buffer.alloc(32, 7);
const receipt: Receipt = {
  kind: 'key',
  repeated: false,
  streamLife: 0xdeadbeef,
  seq: 2 ** 47,
  arrivedAtMs: 1_767_225_600_123,
  timeUs: -1,
  identity: '0123456789abcdef0123456789abcdef',
  bodyTag: 0xabcdef,
};

test('a receipt is read with the token it was issued for, and says what was written', () => {
  const id = createReceiptBook(key).issue(receipt, 'tok');
  expect(id).toMatch(/^[A-Za-z0-9_-]{80}$/);
  expect(createReceiptBook(key).read(id, 'tok')).toEqual(receipt);
  expect(decodeReceipt(id)).toEqual(receipt);
  const bytes = Buffer.from(id, 'base64url');
  const mac = createHmac('sha256', key).update(bytes.subarray(0, 44)).update('tok').digest();
  expect(bytes.subarray(44)).toEqual(mac.subarray(0, 16));
  for (const timeUs of [undefined, 0, 1_767_225_600_123_456]) {
    const other = { ...receipt, timeUs, repeated: true, kind: 'fresh' as const };
    expect(decodeReceipt(createReceiptBook(key).issue(other, 't'))).toEqual(other);
  }
});

test('another token, another key and any changed bit read as nothing', () => {
  const book = createReceiptBook(key);
  const id = book.issue(receipt, 'tok');
  expect(book.read(id, 'tok2')).toBeUndefined();
  expect(book.read(id, '')).toBeUndefined();
  expect(createReceiptBook(Buffer.alloc(32, 8)).read(id, 'tok')).toBeUndefined();
  const bytes = Buffer.from(id, 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const forged = Buffer.from(bytes);
    forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(book.read(forged.toString('base64url'), 'tok')).toBeUndefined();
  }
  for (const odd of ['', 'x', `${id}A`, id.slice(1)]) expect(book.read(odd, 'tok')).toBeUndefined();
});

test('a key that is none is refused without showing it', () => {
  expect(parseReceiptKey(key.toString('base64'))).toEqual(key);
  for (const text of ['', 'secret', key.toString('hex')]) {
    expect(() => parseReceiptKey(text)).toThrow(/^The receipt key is not base64 of 32 bytes/);
  }
});

test('what tells of devices reads alike', () => {
  const told = (['UNREGISTERED_DEVICE', 'TOKEN_NOT_SET', 'TOKEN_INVALID', 'DEVICE_REVOKED'] as const).map(
    (reason) => JSON.stringify(publicRejection({ reason, detail: reason })),
  );
  expect(new Set(told).size).toBe(1);
  expect(told[0]).toContain('NOT_AUTHORIZED');
  expect(publicRejection({ reason: 'METRICS_INVALID', detail: 'x' }).reason).toBe('METRICS_INVALID');
});

const nothing: Evidence = { row: undefined, keyBodyHash: undefined, quarantined: undefined, claimed: false };
const limits = { keepKeysMs: 1_000, nowMs: receipt.arrivedAtMs };
const ownRow = { time: 'T', streamSeq: receipt.seq, arrivedAtMs: receipt.arrivedAtMs };
const otherRow = { ...ownRow, streamSeq: 5 };
const body = `abcdef${'0'.repeat(26)}`;

test.each<[string, Partial<Receipt>, Partial<Evidence>, string]>([
  ['nothing known, not claimed', {}, {}, 'queued'],
  ['its own row', {}, { row: ownRow, claimed: true }, 'stored'],
  ['its own row, out of a replay', { kind: 'content' }, { row: ownRow, claimed: true }, 'stored'],
  ['another’s row while it is still in the stream', {}, { row: otherRow }, 'queued'],
  ['another’s row', { kind: 'content' }, { row: otherRow, claimed: true }, 'duplicate'],
  ['another’s row under its key', {}, { row: otherRow, keyBodyHash: body, claimed: true }, 'duplicate'],
  [
    'the key with another body, evicted',
    {},
    { row: otherRow, keyBodyHash: '0'.repeat(32), claimed: true },
    'discarded',
  ],
  ['known to JetStream', { repeated: true }, { row: ownRow, keyBodyHash: body, claimed: true }, 'duplicate'],
  [
    'in the quarantine',
    {},
    { quarantined: { reason: 'RATE_LIMITED', detail: '' }, claimed: true },
    'quarantined',
  ],
  ['not kept', { kind: 'fresh' }, { claimed: true }, 'discarded'],
  ['a forgotten key', { arrivedAtMs: receipt.arrivedAtMs - 1_000 }, { claimed: true }, 'forgotten'],
])('%s: %s', (_, changes, evidence, status) => {
  expect(fateOf({ ...receipt, ...changes }, { ...nothing, ...evidence }, limits).status).toBe(
    status as never,
  );
});
