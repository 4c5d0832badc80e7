import { describe, expect, test } from 'bun:test';
import type { IntakeResult } from '../../../src/intake/intake.ts';
import { until } from '../../harness/until.ts';
import { startListener, stored, topicOfD1, unavailable } from './listener.ts';
import { connectPacket, publishPacket } from './raw-client.ts';

const reading = '{"site_id":"s1","metrics":{"temp":22}}';
const ping = [0xc0, 0];
const pong = [0xd0, 0];

describe('acknowledging', () => {
  test('a QoS 1 publish gets no PUBACK before intake has it durable', async () => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket(topicOfD1, reading, 1, 7), ping);
    await until(() => listener.intake.messages.length === 1, { what: 'intake was asked' });
    expect(raw.received).not.toContain(0x40);
    listener.intake.release();
    await until(() => raw.received.length === 6, { what: 'PUBACK and PINGRESP' });
    expect(raw.received.includes(Buffer.from([0x40, 2, 0, 7]))).toBe(true);
  });

  test('a QoS 2 publish gets no PUBREC before intake has it durable, and is ingested once', async () => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected();
    const packet = publishPacket(topicOfD1, reading, 2, 7);
    raw.send(packet, packet);
    await until(() => listener.intake.messages.length === 1, { what: 'intake was asked' });
    expect(raw.received.length).toBe(0);
    listener.intake.release();
    await raw.expect([0x50, 2, 0, 7, 0x50, 2, 0, 7]);
    raw.send(packet);
    await raw.expect([0x50, 2, 0, 7]);
    raw.send([0x62, 2, 0, 7]);
    await raw.expect([0x70, 2, 0, 7]);
    expect(listener.intake.messages.length).toBe(1);
    raw.send(packet);
    await until(() => listener.intake.messages.length === 2, { what: 'the id is free again after PUBREL' });
    listener.intake.release();
  });

  test('PUBACKs go out in the order of the publishes, whatever the order of the PubAcks', async () => {
    const answers = new Map<unknown, (value: IntakeResult) => void>();
    await using listener = await startListener({
      intake: { accept: ({ payload }) => new Promise((resolve) => answers.set(payload.n, resolve)) },
    });
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket(topicOfD1, '{"n":1}', 1, 1), publishPacket(topicOfD1, '{"n":2}', 1, 2));
    await until(() => answers.size === 2, { what: 'both under way at once' });
    answers.get(2)?.(stored);
    answers.get(1)?.(stored);
    await raw.expect([0x40, 2, 0, 1, 0x40, 2, 0, 2]);
  });

  test('what cannot be made durable gets no PUBACK: the connection is closed', async () => {
    await using listener = await startListener({
      answer: ({ payload }) => (payload.n === 2 ? unavailable : stored),
    });
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket(topicOfD1, '{"n":1}', 1, 1), publishPacket(topicOfD1, '{"n":2}', 1, 2));
    await raw.expect([0x40, 2, 0, 1]);
    await raw.untilClosed();
    expect(raw.received.length).toBe(0);
    expect(listener.metrics.counts.get('unavailable')).toBe(1);
    expect(listener.metrics.counts.get('1 failed')).toBe(1);
  });

  test('a QoS 2 publish whose first try failed is not acknowledged for its second', async () => {
    await using listener = await startListener();
    const raw = listener.raw();
    await raw.connected();
    const packet = publishPacket(topicOfD1, reading, 2, 7);
    raw.send(packet, packet);
    await until(() => listener.intake.messages.length === 1, { what: 'intake was asked' });
    listener.intake.release(unavailable);
    await raw.untilClosed();
    expect(raw.received.length).toBe(0);
  });

  test('QoS 0 is published too; a failure is counted and the connection stays', async () => {
    await using listener = await startListener({ answer: () => unavailable });
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket(topicOfD1, reading), ping);
    await raw.expect(pong);
    await until(() => listener.metrics.counts.get('0 failed') === 1, { what: 'the failure is counted' });
    expect(raw.closed).toBe(false);
  });
});

describe('payloads', () => {
  test.each([
    ['no JSON', 'temp=22', '"temp=22"'],
    ['no object', '[1,2]', '"[1,2]"'],
    ['empty', '', '""'],
    ['a __proto__ key', '{"__proto__":{"a":1}}', String.raw`"{\"__proto__\":{\"a\":1}}"`],
    ['too deep', `${'['.repeat(40)}${']'.repeat(40)}`, `"${'['.repeat(40)}${']'.repeat(40)}"`],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'null'],
    ['a kilobyte of NUL', Buffer.alloc(1_024), 'null'],
  ])('%s is acknowledged and goes on for quarantine', async (_name, payload, payloadText) => {
    await using listener = await startListener({ answer: () => stored });
    const raw = listener.raw();
    await raw.connected();
    raw.send(publishPacket(topicOfD1, payload, 1, 3));
    await raw.expect([0x40, 2, 0, 3]);
    const [message] = listener.intake.messages;
    expect(message).toMatchObject({ payloadText, payload: {}, token: '' });
    const base64 = payloadText === 'null' ? Buffer.from(payload as Buffer).toString('base64') : undefined;
    expect(message?.payloadBase64).toBe(base64);
  });

  test('the password replaces every provision_token in the payload, in any spelling', async () => {
    await using listener = await startListener({ answer: () => stored });
    const raw = listener.raw();
    await raw.connected(connectPacket({ username: 't1/d1', password: 'secret' }));
    const payload = String.raw`{"provision_token":"x","a":1e400,"provision\u005ftoken":"y"}`;
    raw.send(publishPacket(topicOfD1, payload, 1, 3));
    await raw.expect([0x40, 2, 0, 3]);
    expect(listener.intake.messages[0]?.payloadText).toBe('{"provision_token":"secret","a":1e400}');
    expect(listener.intake.messages[0]?.payload.provision_token).toBe('secret');
  });
});
