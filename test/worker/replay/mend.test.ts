import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { hashToken } from '../../../src/model/token.ts';
import { expireMessageKeys } from '../../../src/store/maintenance/expire-message-keys.ts';
import { forgetMended } from '../../../src/store/maintenance/forget-mended.ts';
import { selectQuarantineStats } from '../../../src/store/quarantine/stats.ts';
import { selectEvidence } from '../../../src/store/receipts/select-evidence.ts';
import { deleteDevice } from '../../../src/store/registry/delete-device.ts';
import { faultOfPayload } from '../../../src/worker/replay/mended.ts';
import { arrivedAtMs, token } from '../messages.ts';
import { hex } from '../settling.ts';
import { ample, createWorld, device, tenant, vouched, type World } from './quarantine-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
  await world.register();
});
afterEach(() => world[Symbol.asyncDispose]());

const noSite = { site_id: undefined };
const good = { site_id: 's1', metrics: { temp: 23 } };
const telemetry = () =>
  world.rows(`select to_char(time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as time, site_id, metrics::text, stream_seq::int as seq
    from telemetry order by stream_seq`);

test('a mended message is stored as it was mended, at its arrival, and leaves; what was sent is kept beside it', async () => {
  await world.send([{ seq: 1, payload: noSite }]);
  expect(await world.replay({})).toMatchObject({ stored: 0, refused: 1 });
  expect(await world.mend(good)).toEqual({ passes: true });
  const [sent] = await world.rows<{ envelope: Buffer }>('select envelope from quarantine');
  expect(JSON.parse(String(sent?.envelope))).toMatchObject({ payload: { metrics: { temp: 22 } } });
  expect(await world.dryRun({})).toMatchObject({ stored: 1, refused: 0 });
  expect(await world.replay({})).toMatchObject({ stored: 1, refused: 0 });
  expect(await telemetry()).toEqual([
    { time: '2026-01-01 00:00:00', site_id: 's1', metrics: '{"temp": 23}', seq: 1 },
  ]);
  expect(await world.reasons()).toEqual([]);
  expect(await world.ledger()).toEqual({ stored: 1, duplicates: 0, quarantined: 0, internal: 0 });
  const kept = await world.rows<{ original: Buffer }>(
    `select m.original, mended_by, stream_seq::int as seq, replay_id, m.identity = t.identity as same
     from mended_messages m join telemetry t using (stream_seq)`,
  );
  expect(kept).toMatchObject([{ mended_by: 'ann', seq: 1, replay_id: 2, same: true }]);
  expect(kept[0]?.original).toEqual(sent?.envelope as Buffer);
});

test('what is still wrong is said at once, and a second mending counts', async () => {
  await world.send([{ seq: 1, payload: noSite }]);
  expect(await world.mend({ ...good, metrics: [] })).toMatchObject({
    passes: false,
    reason: 'METRICS_INVALID',
  });
  expect(await world.replay({})).toMatchObject({ refused: 1 });
  expect(await world.reasons()).toEqual(['METRICS_INVALID']);
  expect(await world.mend('{"site_id":"s1","metrics":{"n":12345678901234567890.1}}')).toEqual({
    passes: true,
  });
  await world.replay({});
  expect(await telemetry()).toMatchObject([{ metrics: '{"n": 12345678901234567890.1}' }]);
});

test('a payload that was no JSON, or bytes, or held the token in a value, can be mended', async () => {
  await world.send([
    { seq: 1, envelope: { payload: 'not json' } },
    { seq: 2, envelope: { payload: null, payload_b64: '/////w==' } },
    { seq: 3, payload: { note: `my token is ${token}` } },
  ]);
  expect(await world.reasons()).toEqual(['BAD_ENVELOPE', 'BAD_ENVELOPE', 'BAD_ENVELOPE']);
  for (const id of [1n, 2n]) {
    expect(await world.mend(good, id)).toMatchObject({ passes: false, reason: 'TOKEN_MISSING' });
  }
  expect(await world.mend(good, 3n)).toEqual({ passes: true });
  expect(await world.dryRun({}, true)).toMatchObject({ stored: 3, altered: 0 });
  expect(await world.replay({})).toMatchObject({ stored: 1, refused: 2 });
  expect(await world.replay({}, vouched)).toMatchObject({ stored: 2, refused: 0 });
});

test('mending says nothing of the token: a wrong one needs somebody who vouches, which is noted', async () => {
  await world.send([{ seq: 1, payload: { ...noSite, provision_token: 'wrong' } }]);
  expect(await world.mend(good)).toMatchObject({ passes: false, reason: 'TOKEN_INVALID' });
  expect(await world.replay({})).toMatchObject({ stored: 0, refused: 1 });
  expect(await world.replay({}, vouched)).toMatchObject({ stored: 1 });
  expect(await world.count('vouched_messages')).toBe(1);
  expect(await world.count('mended_messages')).toBe(1);
});

describe('refused is a payload', () => {
  const refusals: Readonly<Record<string, readonly [string, RegExp]>> = {
    'that is no JSON': ['{', /is not JSON/],
    'that is no object': ['[]', /is not a JSON object/],
    'with a __proto__': ['{"__proto__":1}', /__proto__/],
    'with a token': [JSON.stringify({ ...good, provision_token: 'x' }), /holds a provision token/],
    'with a token in base64': [
      JSON.stringify({ ...good, note: Buffer.from('{"provision_token":"abcdefgh"}').toString('base64') }),
      /holds a provision token/,
    ],
    'with the device’s token as a value': [
      JSON.stringify({ ...good, note: [token] }),
      /holds the device's token/,
    ],
    'that is too large': [JSON.stringify({ note: 'x'.repeat(5_000) }), /has 50\d\d bytes; the limit is 4096/],
    'with half a character': ['{"a":"\ud800"}', /is not UTF-8/],
  };
  const limits = { maxBodyBytes: 4_096, tokenHashes: [hashToken(token)] };
  test.each(Object.entries(refusals))('%s', (_, [payload, words]) => {
    expect(faultOfPayload(payload, limits)).toMatch(words);
  });

  test('and changes nothing; so does an envelope that is none, or a message that is not there', async () => {
    await world.send([{ seq: 1, payload: noSite }]);
    await expect(world.mend({ ...good, note: [token] })).rejects.toThrow(/holds the device's token/);
    expect(await world.rows('select mended_payload from quarantine')).toEqual([{ mended_payload: null }]);
    await world.database.pool.query(`update quarantine set envelope = 'rubbish'`);
    await expect(world.mend(good)).rejects.toThrow(/envelope of message 1 is no JSON object/);
    expect(await world.mend(good, 99n)).toBeUndefined();
  });
});

describe('a message stays one message', () => {
  const timed = { ts: arrivedAtMs, seq: 5 };

  test('two sends of it are one row, also when they are mended to different times', async () => {
    await world.send([
      { seq: 1, payload: { ...noSite, ...timed } },
      { seq: 2, payload: { ...noSite, ...timed } },
    ]);
    // As the doors write it: the same id for the same content.
    await world.database.pool.query(
      `update quarantine set identity_kind = 'content', identity = '${hex(1)}', body_hash = '${hex(2)}'`,
    );
    await world.mend({ ...good, ...timed }, 1n);
    await world.mend({ ...good, ...timed, ts: arrivedAtMs + 1_000 }, 2n);
    expect(await world.dryRun({})).toMatchObject({ stored: 1, duplicates: 1 });
    expect(await world.replay({})).toMatchObject({ stored: 1, duplicates: 1 });
    expect(await world.count('telemetry')).toBe(1);
    // For as long as it is known that it was mended.
    await world.database.pool.query(`update message_keys set first_settled_at = now() - interval '90 days'`);
    expect(await expireMessageKeys(world.pool, { keepHours: 48 })).toBe(0);
    await forgetMended(world.pool, { originalDays: 30, limits: ample, retentionDays: 400 });
    expect(await world.count('mended_messages')).toBe(1);
    await world.database.pool.query(`update mended_messages set stored_at = now() - interval '90 days'`);
    await forgetMended(world.pool, { originalDays: 30, limits: ample, retentionDays: 1 });
    expect(await world.count('mended_messages')).toBe(0);
    expect(await expireMessageKeys(world.pool, { keepHours: 48 })).toBe(1);
  });

  test('one whose own time was right keeps it: a resend has it too', async () => {
    await world.send([{ seq: 1, payload: { ...timed, site_id: 's9' } }]);
    expect(await world.mend({ ...good, ...timed, ts: arrivedAtMs + 1_000 })).toMatchObject({
      passes: false,
      reason: 'TIMESTAMP_INVALID',
    });
    expect(await world.replay({})).toMatchObject({ stored: 0, refused: 1 });
    expect(await world.mend({ ...good, ...timed })).toEqual({ passes: true });
    expect(await world.replay({})).toMatchObject({ stored: 1 });
  });

  test('one whose time was wrong gets another', async () => {
    await world.send([{ seq: 1, payload: { ts: 'yesterday' } }]);
    expect(await world.mend({ ...good, ts: arrivedAtMs - 86_400_000 })).toEqual({ passes: true });
    expect(await world.replay({})).toMatchObject({ stored: 1 });
    expect(await telemetry()).toMatchObject([{ time: '2025-12-31 00:00:00' }]);
    const [{ identity } = { identity: '' }] = await world.rows<{ identity: string }>(
      `select replace(identity::text, '-', '') as identity from telemetry`,
    );
    const receipt = { kind: 'content', repeated: false, streamLife: 0, seq: 1, bodyTag: 0 } as const;
    const asked = [{ ...receipt, arrivedAtMs, timeUs: undefined, identity }];
    expect(await selectEvidence(world.pool, 'TELEMETRY', asked)).toMatchObject([
      { row: { time: '2025-12-31T00:00:00.000000Z', streamSeq: 1 } },
    ]);
  });

  test('under an idempotency key the first body counts', async () => {
    const key = (bodyHash: number) => ({ identity: hex(0xabc), bodyHash: hex(bodyHash) });
    await world.send([{ seq: 1, key: key(1), payload: noSite }]);
    await world.send([{ seq: 2, key: key(2) }]);
    await world.mend(good);
    expect(await world.replay({})).toMatchObject({ stored: 0, refused: 1 });
    expect(await world.reasons()).toEqual(['IDENTITY_REUSED']);
  });
});

test('what it was mended with counts as kept; originals are bounded as the quarantine is, and go with their device', async () => {
  await world.send([
    { seq: 1, payload: noSite },
    { seq: 2, payload: noSite },
  ]);
  const bytes = async () => (await selectQuarantineStats(world.pool, tenant))[0]?.held_bytes ?? 0n;
  const before = await bytes();
  const note = 'x'.repeat(1_000);
  await world.mend({ ...good, note }, 1n);
  await world.mend({ ...good, note }, 2n);
  expect(Number((await bytes()) - before)).toBeGreaterThan(2_000);
  expect(await world.replay({})).toMatchObject({ stored: 2 });
  const originals = async () =>
    (await world.rows<{ n: number }>('select count(original)::int as n from mended_messages'))[0]?.n;
  const limits = { ...ample, tenant: { rows: 1, bytes: 1e12 } };
  await forgetMended(world.pool, { originalDays: 30, limits, retentionDays: 400 });
  expect(await originals()).toBe(1);
  await world.database.pool.query(`update mended_messages set stored_at = now() - interval '31 days'`);
  await forgetMended(world.pool, { originalDays: 30, limits: ample, retentionDays: 400 });
  expect(await originals()).toBe(0);
  expect(await world.count('mended_messages')).toBe(2);
  await deleteDevice(world.pool, tenant, device, { withData: true });
  expect(await world.count('mended_messages')).toBe(0);
});
