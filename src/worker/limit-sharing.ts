import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { limitsSubject } from '../stream/subjects.ts';
import { encodeLimitCounts, ownBeginning, parseLimitCounts } from './limit-counts.ts';
import type { RateLimiter } from './rate-limiter.ts';

export interface LimitSharingOptions {
  readonly nc: NatsConnection;
  readonly limiter: Pick<RateLimiter, 'takeUntold' | 'addOthers'>;
  /** Unique among the workers that are alive: a worker does not count its own words twice. */
  readonly workerId: string;
  /** How often this worker tells what it has settled. */
  readonly intervalMs?: number;
  readonly log: Logger;
}

const defaultSharingIntervalMs = 100;

/**
 * Tells the other workers what this one has accepted, about every 100 ms, and takes in what they tell. Over
 * core NATS, so a word may get lost, never doubled: the sums can only be too small, which accepts too much.
 * The bound is in docs/reference/rate-limits.md.
 */
export function startLimitSharing(options: LimitSharingOptions): { drain(): Promise<void> } {
  const { nc, limiter, workerId, log } = options;
  let hasWarned = false;
  const ownWords = ownBeginning(workerId);
  const take = (data: Uint8Array) => {
    // Its own come back to it, thousands of counts in a second when it is busy: not worth parsing.
    if (ownWords.equals(data.subarray(0, ownWords.length))) return;
    const told = parseLimitCounts(data);
    if (told === undefined) {
      if (!hasWarned) log.warn({ subject: limitsSubject }, 'limit counts cannot be read and are left out');
      hasWarned = true;
    } else if (told.workerId !== workerId) {
      limiter.addOthers(told.counts);
    }
  };
  const tell = () => {
    // On its way down, a connection throws at who publishes; what is untold dies with it.
    if (nc.isClosed() || nc.isDraining()) return;
    for (const data of encodeLimitCounts(workerId, limiter.takeUntold())) nc.publish(limitsSubject, data);
  };
  const subscription = nc.subscribe(limitsSubject, {
    callback: (error, message) => {
      if (error === null) take(message.data);
      else log.warn({ err: error }, 'limit counts of other workers are not received');
    },
  });
  const timer = setInterval(tell, options.intervalMs ?? defaultSharingIntervalMs);
  return {
    /** Tells the rest; the connection's own drain sends it off. */
    async drain() {
      clearInterval(timer);
      if (nc.isClosed() || nc.isDraining()) return;
      tell();
      await subscription.drain();
    },
  };
}
