import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { numberOf, objectOf, stringOf } from './jetstream-api.ts';
import { maxDeliveriesSubjects } from './subjects.ts';

/** JetStream gave up delivering a message: it stays in the stream, and no lag shows it. */
export interface MaxDeliveries {
  readonly stream: string;
  readonly consumer: string;
  readonly seq: number;
  readonly deliveries: number;
}

/** Listens to the MAX_DELIVERIES advisories of our streams. They are told once: who is away misses them. */
export function watchMaxDeliveries(
  nc: NatsConnection,
  onAdvisory: (advisory: MaxDeliveries) => void,
): { drain(): Promise<void> } {
  const subscriptions: Subscription[] = maxDeliveriesSubjects.map((subject) =>
    // One of the workers that listen hears each, so that it is counted once.
    nc.subscribe(subject, {
      queue: 'tributary-alarms',
      callback: (error, message) => {
        if (error === null) onAdvisory(parseAdvisory(message.data));
      },
    }),
  );
  return {
    async drain() {
      if (!nc.isClosed()) for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

function parseAdvisory(data: Uint8Array): MaxDeliveries {
  const fields = objectOf(tryParse(data));
  return {
    stream: stringOf(fields.stream),
    consumer: stringOf(fields.consumer),
    seq: numberOf(fields.stream_seq),
    deliveries: numberOf(fields.deliveries),
  };
}

/** Whatever it says, that it came is the alarm. */
function tryParse(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}
