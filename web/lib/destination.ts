import type { Destination } from './types.ts';

export function destinationText(destination: Destination): string {
  if (destination.kind === 'webhook') {
    return destination.method === 'PUT' ? `PUT ${destination.url}` : destination.url;
  }
  if (destination.kind === 'nats') return `nats ${destination.subject}`;
  return destination.url === undefined
    ? `mqtt ${destination.topic}`
    : `${destination.url} ${destination.topic}`;
}
