import type { NatsConnection } from '@nats-io/nats-core';
import { NatsConnectionImpl } from '@nats-io/nats-core/internal';

/**
 * The connection with what lies beneath it, for who writes the protocol's own text.
 * @throws TypeError for a connection that is not the NATS client's
 */
export function natsClient(nc: NatsConnection): NatsConnectionImpl {
  if (!(nc instanceof NatsConnectionImpl)) throw new TypeError('the connection is not of the NATS client');
  return nc;
}
