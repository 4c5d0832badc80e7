import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { hashToken } from '../../../src/model/token.ts';
import { expireMessageKeys } from '../../../src/store/maintenance/expire-message-keys.ts';
import { deleteDevice } from '../../../src/store/registry/delete-device.ts';
import { revokeDevice } from '../../../src/store/registry/revoke-device.ts';
import { rotateToken } from '../../../src/store/registry/rotate-token.ts';
import { decode } from '../../../src/worker/decode.ts';
import { arrivedAtMs, envelopeOf, options, rawOf, token } from '../messages.ts';
import { hex } from '../settling.ts';
import { createWorld, device, tenant, vouched, type World } from './quarantine-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

describe('the token that a message was sent with', () => {
  test('an earlier one counts: rotated in between, or the device was deleted and registered again', async () => {
    await world.send([{ seq: 1 }]);
    await world.register();
    await rotateToken(world.pool, tenant, device, { tokenSha256: hashToken('second'), graceMs: 0 });
    expect(await world.dryRun({})).toMatchObject({ tokens: { current: 0, earlier: 1 }, stored: 1 });
    expect(await world.replay({})).toMatchObject({ stored: 1 });
    await world.send([{ seq: 2, payload: { provision_token: 'second', site_id: 's9' } }]);
    await deleteDevice(world.pool, tenant, device);
    await world.send([{ seq: 3, payload: { provision_token: 'second' } }]);
    await world.register('third');
    expect(await world.replay({ reason: 'UNREGISTERED_DEVICE' })).toMatchObject({ stored: 1 });
  });

  test('another one is a mismatch, also another device’s; none is none', async () => {
    await world.send([
      { seq: 1, payload: { provision_token: 'of somebody else' } },
      { seq: 2, payload: { provision_token: undefined } },
      { seq: 3 },
    ]);
    await world.register();
    expect(await world.dryRun({})).toMatchObject({
      messages: 3,
      tokens: { current: 1, earlier: 0, mismatch: 1, none: 1 },
      stored: 1,
      refused: 2,
      reasons: new Map([
        ['TOKEN_INVALID', 1],
        ['TOKEN_MISSING', 1],
      ]),
    });
    expect(await world.replay({})).toMatchObject({ stored: 1, refused: 2 });
  });

  test('vouched for, it is stored, and who vouched and why is noted with the message', async () => {
    await world.send([{ seq: 1, payload: { provision_token: 'wrong' } }, { seq: 2 }]);
    await world.register();
    expect(await world.dryRun({}, true)).toMatchObject({ tokens: { mismatch: 1, current: 1 }, stored: 2 });
    expect(await world.replay({}, vouched)).toMatchObject({ stored: 2, refused: 0 });
    expect(
      await world.rows(`select operator, vouched_because, stored::int, refused::int, finished_at is not null as finished,
        v.stream_seq::int as seq, v.identity = (select identity from telemetry where stream_seq = 1) as same
        from replays left join vouched_messages v using (replay_id)`),
    ).toEqual([
      {
        operator: 'ann',
        vouched_because: 'ticket 17',
        stored: 2,
        refused: 0,
        finished: true,
        seq: 1,
        same: true,
      },
    ]);
  });

  test('a revoked device stays refused unless somebody vouches; an unknown one stays unknown', async () => {
    await world.send([
      { seq: 1 },
      { seq: 2, envelope: { device_id: 'd2', topic: 'tenant/t1/device/d2/telemetry' } },
    ]);
    await world.register();
    await revokeDevice(world.pool, tenant, device);
    expect(await world.replay({})).toMatchObject({ stored: 0, refused: 2 });
    expect(await world.reasons()).toEqual(['DEVICE_REVOKED', 'UNREGISTERED_DEVICE']);
    expect(await world.replay({}, vouched)).toMatchObject({ stored: 1, refused: 1 });
    expect(await world.reasons()).toEqual(['UNREGISTERED_DEVICE']);
  });

  test('what was cut out where a value stood is never stored, whoever vouches', async () => {
    await world.send([{ seq: 1, payload: { note: `my token is ${token}` } }]);
    await world.register();
    expect(await world.dryRun({}, true)).toMatchObject({ stored: 0, refused: 1, altered: 1 });
    expect(await world.replay({}, vouched)).toMatchObject({ stored: 0, refused: 1 });
    expect(await world.reasons()).toEqual(['BAD_ENVELOPE']);
  });
});

describe('identities', () => {
  const key = (bodyHash: number) => ({ identity: hex(0xabc), bodyHash: hex(bodyHash) });

  test('a message whose resend was stored meanwhile is a duplicate, and leaves', async () => {
    const limited = { ts: arrivedAtMs, seq: 5 };
    await world.send([
      { seq: 1, payload: limited },
      { seq: 2, key: key(1) },
    ]);
    await world.register();
    expect(
      await world.send([
        { seq: 3, payload: limited },
        { seq: 4, key: key(1) },
      ]),
    ).toEqual(['stored', 'stored']);
    expect(await world.dryRun({})).toMatchObject({ stored: 0, duplicates: 2 });
    expect(await world.replay({})).toMatchObject({ stored: 0, duplicates: 2 });
    expect(await world.count('telemetry')).toBe(2);
    expect(await world.ledger()).toEqual({ stored: 2, duplicates: 2, quarantined: 0, internal: 0 });
  });

  test('resends that are all in the quarantine become one row', async () => {
    const message = { payload: { ts: arrivedAtMs, seq: 5 } };
    await world.send([
      { seq: 1, ...message },
      { seq: 2, ...message },
      { seq: 3, key: key(1), envelope: { ts: arrivedAtMs } },
      { seq: 4, key: key(1), envelope: { ts: arrivedAtMs + 1_000 } },
      { seq: 5, key: key(2) },
    ]);
    await world.register();
    expect(await world.dryRun({})).toMatchObject({ stored: 2, duplicates: 2, refused: 1 });
    expect(await world.replay({})).toMatchObject({ stored: 2, duplicates: 2, refused: 1 });
    expect(await world.reasons()).toEqual(['IDENTITY_REUSED']);
    // The key is taken now: a resend does not come through again.
    expect(await world.send([{ seq: 6, key: key(1) }])).toEqual(['duplicate']);
  });

  test('a key is remembered for as long as a message under it can be replayed', async () => {
    await world.send([{ seq: 1, key: key(1) }]);
    await world.register();
    await world.send([{ seq: 2, key: key(1), envelope: { ts: arrivedAtMs + 5_000 } }]);
    await world.database.pool.query(`update message_keys set first_settled_at = now() - interval '9 days'`);
    expect(await expireMessageKeys(world.pool, { keepHours: 48 })).toBe(0);
    expect(await world.replay({})).toMatchObject({ duplicates: 1 });
    expect(await expireMessageKeys(world.pool, { keepHours: 48 })).toBe(1);
  });

  test('a message that went by its place in the stream takes the identity that its resends have', async () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`m${i}`, i]));
    const message = { payload: { ts: arrivedAtMs, seq: 5, metrics: many } };
    await world.register();
    await world.send([{ seq: 1, ...message }]);
    expect(await world.rows('select reason, identity_kind from quarantine')).toEqual([
      { reason: 'TOO_MANY_METRICS', identity_kind: 'sequence' },
    ]);
    const decodeOptions = { ...options, maxMetrics: 9 };
    expect(await world.replay({}, { decodeOptions })).toMatchObject({ stored: 1 });
    const resend = decode(rawOf(envelopeOf({}, message.payload), { seq: 2 }), decodeOptions);
    expect(await world.rows(`select replace(identity::text, '-', '') as identity from telemetry`)).toEqual([
      { identity: resend.identity.identity },
    ]);
  });
});
