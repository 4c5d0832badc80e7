import { expect, test } from 'bun:test';
import { headerValue } from '../../src/stream/header-text.ts';

const text =
  'NATS/1.0 100 Idle\r\nNats-Msg-Id:  k1.a:b \r\nEmpty: \r\nTwice: 1\r\nTwice: 2\r\nLast:é\r\n\r\n';

test('a header’s value is found by its exact name, without the space around it', () => {
  expect(headerValue(text, 'Nats-Msg-Id')).toBe('k1.a:b');
  expect(headerValue(text, 'Twice')).toBe('1');
  expect(headerValue(text, 'Last')).toBe('é');
});

test('another spelling, part of a name, an empty value and no header at all are none', () => {
  for (const name of ['nats-msg-id', 'Msg-Id', 'Empty', 'a', '100 Idle'])
    expect(headerValue(text, name)).toBeUndefined();
  expect(headerValue('', 'Nats-Msg-Id')).toBeUndefined();
});
