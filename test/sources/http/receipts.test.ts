import { afterAll, expect, test } from 'bun:test';
import type { Fate } from '../../../src/model/fate.ts';
import { createReceiptBook, type Receipt } from '../../../src/model/receipt.ts';
import { devicePath, openDoor, refusal, token, told } from './door.ts';

const book = createReceiptBook(Buffer.alloc(32, 1));
const nowMs = Date.UTC(2026, 0, 1);
let find: () => Promise<Fate[]> = async () => [{ status: 'queued' }];
const receipts = {
  book,
  streamLife: () => 5,
  find: () => find(),
  deliveries: async () => [],
  waits: () => undefined,
  retentionMs: 86_400_000,
};
const door = openDoor(undefined, { receipts });
afterAll(() => door.drain());

const receipt: Receipt = {
  kind: 'fresh',
  repeated: false,
  streamLife: 5,
  seq: 1,
  arrivedAtMs: nowMs,
  timeUs: nowMs * 1_000,
  identity: '0'.repeat(32),
  bodyTag: 0,
};
const ask = (id: string, headers: Record<string, string> = token) =>
  fetch(`${door.url}/ingest/v1/receipts/${id}`, { headers });

test('the 202 names the receipt of what intake answered, its body unchanged', async () => {
  const answer = await door.post(devicePath, '{"ts":1767225600000}');
  expect(await answer.text()).toBe('{"status":"accepted"}');
  const location = answer.headers.get('Location') ?? '';
  expect(location).toStartWith('/ingest/v1/receipts/');
  expect(book.read(location.slice(20), 'tok')).toEqual(receipt);
});

test('event time is read as the worker will: digits that a double loses, none where there is none', async () => {
  const timeOf = async (ts: string) => {
    const answer = await door.post(devicePath, `{"ts":${ts}}`);
    return book.read(answer.headers.get('Location')?.slice(20) ?? '', 'tok')?.timeUs;
  };
  expect(await timeOf('1767225600123456999')).toBe(1_767_225_600_123_456);
  expect(await timeOf('"2026-01-01T00:00:00.5Z"')).toBe(nowMs * 1_000 + 500_000);
  expect(await timeOf('"never"')).toBeUndefined();
});

test('past retention, by arrival or by event time: 410, and so is what is forgotten', async () => {
  const old = nowMs - 86_400_001;
  for (const changes of [{ arrivedAtMs: old }, { timeUs: old * 1_000 }]) {
    expect(await told(ask(book.issue({ ...receipt, ...changes }, 'tok')))).toEqual(
      refusal('receipt_expired'),
    );
  }
  find = async () => [{ status: 'forgotten' }];
  expect(await told(ask(book.issue(receipt, 'tok')))).toEqual(refusal('receipt_expired'));
});

test('a database that is away: 503, while messages are accepted', async () => {
  find = async () => {
    throw new Error('connection refused');
  };
  const answer = await ask(book.issue(receipt, 'tok'));
  expect(answer.headers.get('Retry-After')).toBe('5');
  expect(await told(Promise.resolve(answer))).toEqual(refusal('receipts_unavailable'));
  expect((await door.post(devicePath, '{}')).status).toBe(202);
});

test('without a key: no Location, and every id is 404', async () => {
  await using keyless = openDoor(undefined, { receipts: { ...receipts, book: undefined } });
  const answer = await keyless.post(devicePath, '{}');
  expect([answer.status, answer.headers.get('Location')]).toEqual([202, null]);
  const asked = fetch(`${keyless.url}/ingest/v1/receipts/${book.issue(receipt, 'tok')}`, { headers: token });
  expect(await told(asked)).toEqual(refusal('receipt_not_found'));
});

test('no token: 401; a wait that finds no room is answered at once', async () => {
  expect(await told(ask(book.issue(receipt, 'tok'), {}))).toEqual(refusal('missing_token'));
  const answer = await door.post(devicePath, '{}', { ...token, Prefer: 'wait=30' });
  expect([answer.status, answer.headers.get('Preference-Applied')]).toEqual([202, null]);
});
