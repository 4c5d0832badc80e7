import type { NatsConnection } from '@nats-io/nats-core';
import { type Durability, describeDurability, readDurability } from '../stream/durability.ts';
import { streamName } from '../stream/subjects.ts';

const readEveryMs = 30_000;

/** The durability class for `/flow`, read now and then. */
export interface DurabilityFeed {
  /** In words; undefined: not known yet. */
  current(): string | undefined;
  drain(): void;
}

export function startDurabilityFeed(nc: NatsConnection, monitorUrl: string | undefined): DurabilityFeed {
  let durability: Durability | undefined;
  const read = async () => {
    durability = await readDurability(nc, streamName, monitorUrl).catch(() => durability);
  };
  void read();
  const timer = setInterval(() => void read(), readEveryMs);
  return {
    current: () => (durability === undefined ? undefined : describeDurability(durability)),
    drain: () => clearInterval(timer),
  };
}
