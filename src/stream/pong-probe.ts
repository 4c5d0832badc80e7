import type { NatsConnection } from '@nats-io/nats-core';

/**
 * Pings, one at a time. A pong says that the server has read everything before the ping: nothing lies in the socket
 * any more.
 */
export function createPongProbe(nc: Pick<NatsConnection, 'flush'>, onPong: () => void): () => void {
  let probing = false;
  return () => {
    if (probing) return;
    probing = true;
    nc.flush()
      .then(onPong)
      // Disconnected: that is handled where it is reported.
      .catch(() => undefined)
      .finally(() => {
        probing = false;
      });
  };
}
