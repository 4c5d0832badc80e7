import { expect, test } from 'bun:test';
import { headers, type Msg, type NatsConnection, type SubscriptionOptions } from '@nats-io/nats-core';
import { PullRequest } from '../../src/stream/pull-request.ts';

/** A pull request to a server that says what it is told to: nobody but a server may publish with a reply of `$JS.ACK.`. */
function openedRequest() {
  let receive: (message: Partial<Msg>) => void = () => {};
  const nc = {
    subscribe: (inbox: string, { callback }: SubscriptionOptions) => {
      receive = (message) => callback?.(null, message as Msg);
      return { getSubject: () => inbox };
    },
    publish: () => {},
  };
  const events: string[] = [];
  const request = new PullRequest({
    nc: nc as unknown as NatsConnection,
    stream: 'S',
    consumer: 'C',
    expiresMs: 30_000,
    heartbeatMs: 5_000,
    clock: () => 0,
    onMessage: () => events.push('message'),
    onFilled: () => events.push('filled'),
    onEnd: (end) => events.push(end.kind === 'expired' ? end.kind : end.reason),
  });
  request.open(1, 1_000);
  return {
    events,
    request,
    deliver: () => receive({ reply: '$JS.ACK.S.C.1.1.1.1700000000000000000.0' }),
    tell: (code: number, text: string) => receive({ headers: headers(code, text) }),
  };
}

test('what a server says of a request that was filled does not end the next one', () => {
  const { events, request, deliver, tell } = openedRequest();
  deliver();
  request.open(2, 1_000);
  tell(409, 'Batch Completed');
  expect(request.remaining).toBe(2);
  deliver();
  expect(events).toEqual(['message', 'filled', 'message']);
  tell(409, 'Leadership Change');
  expect(events.at(-1)).toBe('409 Leadership Change');
  expect(request.remaining).toBe(0);
});
