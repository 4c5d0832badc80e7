import type { Destination } from '../model/route-destination.ts';

/** The part of a destination that can be down as a whole: its breaker and its limit count for all routes of a tenant to it. */
export function placeOf(destination: Destination): string {
  switch (destination.kind) {
    case 'webhook':
      return new URL(destination.url).origin;
    case 'mqtt': {
      if (destination.url === undefined) return 'mqtt listener';
      const { protocol, host } = new URL(destination.url);
      return `${protocol}//${host}`;
    }
    case 'nats':
      return 'nats';
  }
}
