import type { NatsConnection } from '@nats-io/nats-core';
import { serveRepublish } from '../../src/roles/doors/republish.ts';
import { startListener, stored, type TestListener } from '../sources/mqtt/listener.ts';

/** An MQTT listener as the role runs it, with `t1/d1` (token `secret`), `t1/d2` (`other`) and `t2/d1` (`foreign`). */
export async function startDeliveryRouteListener(nc: NatsConnection): Promise<TestListener> {
  const listener = await startListener({ answer: () => stored });
  listener.registry.add('t2', 'd1', 'foreign');
  const subscription = serveRepublish(nc, listener.source);
  return {
    ...listener,
    [Symbol.asyncDispose]: async () => {
      subscription.unsubscribe();
      await listener[Symbol.asyncDispose]();
    },
  };
}
