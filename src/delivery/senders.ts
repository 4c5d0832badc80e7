import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { Destination } from '../model/route-destination.ts';
import { openRouteSecrets, type RouteSecrets } from '../model/route-secrets.ts';
import type { DeliveryRoute } from '../store/delivery/delivery-routes.ts';
import type { AddressGuard } from './address/guarded-lookup.ts';
import { createBrokerSender } from './mqtt/broker-sender.ts';
import { createListenerSender } from './mqtt/listener-sender.ts';
import { NatsSenders } from './nats/nats-sender.ts';
import type { Sender } from './sender.ts';
import { createWebhookSender } from './webhook/webhook-sender.ts';

export interface SendersOptions {
  readonly nc: NatsConnection;
  readonly guard: AddressGuard;
  /** Opens routes' secrets; undefined: routes that have some cannot be used. */
  readonly secretsKey: Uint8Array | undefined;
  readonly timeoutMs: number;
  /** Of this process, unique. */
  readonly id: string;
  readonly userAgent: string;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

export interface Senders {
  /** @throws Error for secrets that do not open, TypeError for an address that is none */
  create(route: DeliveryRoute, destination: Destination): Sender;
  drain(): Promise<void>;
}

/** What delivers to each kind of destination. */
export function createSenders(options: SendersOptions): Senders {
  const nats = new NatsSenders(options);
  return {
    create(route, destination) {
      switch (destination.kind) {
        case 'webhook':
          return createWebhookSender({ ...options, destination, secrets: secretsOf(route, options) });
        case 'nats':
          return nats.create(destination);
        case 'mqtt': {
          const { url } = destination;
          if (url === undefined) return createListenerSender({ ...options, destination });
          const clientId = `${options.id}-${route.routeId}`;
          const secrets = secretsOf(route, options);
          return createBrokerSender({ ...options, destination: { ...destination, url }, secrets, clientId });
        }
      }
    },
    drain: () => nats.drain(),
  };
}

function secretsOf({ secrets, tenantId, name }: DeliveryRoute, { secretsKey }: SendersOptions): RouteSecrets {
  if (secrets === undefined) return {};
  if (secretsKey !== undefined) return openRouteSecrets(secrets, secretsKey, tenantId, name);
  throw new Error('TRIBUTARY_SECRETS_KEY is not set, and the route has secrets');
}
