import { describe, expect, test } from 'bun:test';
import { cutEnvelope } from '../../src/worker/cut-envelope.ts';
import { isIntact } from '../../src/worker/intact.ts';
import { createQuarantineRoom } from '../../src/worker/quarantine-room.ts';
import { envelopeOf, rawOf, token } from './messages.ts';

const intact = (envelope: Parameters<typeof rawOf>[0]) => {
  const { data } = rawOf(envelope);
  return isIntact(data, cutEnvelope(data));
};
const otherToken = 'trb_0000000000000000000000000000000000000000000';

describe('what quarantine keeps can be replayed when only the payload’s own token was cut out', () => {
  test.each([
    ['as an object', envelopeOf()],
    ['as a string of JSON', envelopeOf({ payload: JSON.stringify(envelopeOf().payload) })],
    ['without a token', envelopeOf({}, { provision_token: undefined })],
    ['with an empty token', envelopeOf({}, { provision_token: '' })],
    ['with a token that is a number', envelopeOf({}, { provision_token: 12345678 })],
    ['with a short token that is a word of the message', envelopeOf({}, { provision_token: 'temp' })],
  ])('a payload %s is intact', (_, envelope) => {
    expect(intact(envelope)).toBe(true);
  });

  test.each([
    ['the token in a value', envelopeOf({}, { note: token })],
    ['the token in the msg_id', envelopeOf({}, { msg_id: token })],
    ['the token as a metric’s name', envelopeOf({}, { metrics: { [token]: 1 } })],
    ['a member below that is named like the token', envelopeOf({}, { metrics: { provision_token: 'x' } })],
    ['a second spelling next to it', envelopeOf({}, { Provision_Token: 'x' })],
    ['a token in a string of JSON', envelopeOf({}, { note: `{"provision_token":"${otherToken}"}` })],
    ['the token in the topic', envelopeOf({ topic: `tenant/t1/device/${token}/telemetry` })],
    [
      'base64',
      envelopeOf({}, { note: Buffer.from(`{"provision_token":"${otherToken}"}`).toString('base64') }),
    ],
    ['text that is no JSON', `{"payload":{"provision_token":"${token}"`],
  ])('%s: it is not', (_, envelope) => {
    expect(intact(envelope)).toBe(false);
  });
});

describe('room in the quarantine', () => {
  const share = { rows: 2, bytes: 100 };
  test('each tenant has its rows and bytes a minute, unknown ones share theirs', () => {
    let nowMs = 0;
    const room = createQuarantineRoom({ tenant: share, unknown: { rows: 1, bytes: 10 } }, () => nowMs);
    expect([room.take('a', 10), room.take('a', 10), room.take('a', 10), room.take('b', 10)]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect([room.take('c', 101), room.take('c', 100), room.take('c', 1)]).toEqual([false, true, false]);
    expect([room.take('', 11), room.take('', 10), room.take('', 0)]).toEqual([false, true, false]);
    nowMs = 59_999;
    expect(room.take('a', 10)).toBe(false);
    nowMs = 60_000;
    expect(room.take('a', 10)).toBe(true);
  });
});
