import type { NatsConnection } from '@nats-io/nats-core';

export interface ConnectionHandlers {
  onDisconnect?(): void;
  /** Connected again, subscriptions renewed; what the client had buffered meanwhile is dropped. */
  onReconnect?(): void;
  /** Closed for good. */
  onClose?(): void;
}

/** Tells of the connection's ups and downs until it is closed. It must be connected when this is called. */
export function watchConnection(nc: NatsConnection, handlers: ConnectionHandlers): void {
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') handlers.onDisconnect?.();
      else if (status.type === 'reconnect') handlers.onReconnect?.();
      else if (status.type === 'close') break;
    }
    handlers.onClose?.();
  })();
}
