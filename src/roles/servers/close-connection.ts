import type { NatsConnection } from '@nats-io/nats-core';
import { withDeadline } from '../../lib/deadline.ts';

const closeTimeoutMs = 2_000;

/** Drains and closes: what was published goes out. A connection that is away cannot be drained, only closed. */
export async function closeConnection(nc: NatsConnection): Promise<void> {
  await withDeadline(nc.drain(), closeTimeoutMs, () => undefined).catch(() => undefined);
  await nc.close();
}
