import type { NatsConnection } from '@nats-io/nats-core';
import {
  type Durability,
  type DurabilityClass,
  describeDurability,
  readDurability,
} from '../../stream/durability.ts';
import { streamName } from '../../stream/subjects.ts';

/** Until it is known it is asked for often: there may be no connection yet, or no stream. */
const askEveryMs = { unknown: 500, known: 30_000 } as const;

/** The durability class for `/healthz` and `/flow`, read now and then. */
export interface DurabilityFeed {
  /** In words; undefined: not known yet. */
  current(): string | undefined;
  /** The class alone; undefined: not known yet. */
  currentClass(): DurabilityClass | undefined;
  drain(): void;
}

/** @param nats the connection, once there is one */
export function startDurabilityFeed(
  nats: () => NatsConnection | undefined,
  monitorUrl: string | undefined,
): DurabilityFeed {
  let durability: Durability | undefined;
  let timer: Timer | undefined;
  let drained = false;
  const read = async () => {
    const nc = nats();
    if (nc !== undefined)
      durability = await readDurability(nc, streamName, monitorUrl).catch(() => durability);
    if (drained) return;
    timer = setTimeout(() => void read(), durability === undefined ? askEveryMs.unknown : askEveryMs.known);
  };
  void read();
  return {
    current: () => (durability === undefined ? undefined : describeDurability(durability)),
    currentClass: () => durability?.class,
    drain: () => {
      drained = true;
      clearTimeout(timer);
    },
  };
}
