import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { decodeRepublish, type Republish } from '../../model/republish.ts';
import { republishSubject } from '../../stream/subjects.ts';

/**
 * Hands what routes republish to the subscribers of this process, and answers when they have it before them. Every
 * listener hears every message; the subscription ends with the connection.
 */
export function serveRepublish(
  nc: NatsConnection,
  listener: { publish(message: Republish): boolean },
): Subscription {
  return nc.subscribe(republishSubject, {
    callback: (error, message) => {
      if (error !== null) return;
      const republish = decodeRepublish(message.data);
      if (republish !== undefined && listener.publish(republish)) message.respond();
    },
  });
}
