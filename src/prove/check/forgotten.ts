import type { JournalEntry } from '../journal.ts';
import type { BrokerDeath, BrokerEvidence } from '../stack/broker.ts';

/** A message that the broker acknowledged and lost, and how that is known. */
export interface Forgotten {
  readonly n: number;
  readonly what: string;
}

/** A PUBACK is read a moment after the broker has written it. */
const readingMs = 250;

/**
 * Says so where it was the broker that lost a message which no bridge has acknowledged to it. Either
 * - it was killed after it had answered, and the store that it left on its disk does not hold the message; or
 * - it answered after its restart and before a bridge had subscribed again, and never sent it to one: Mosquitto 2.0 does not
 *   take shared subscriptions up again from its store, and drops what nobody subscribes to.
 *
 * Anything else is ours to answer for.
 */
export function forgottenBy(
  { message: { n }, lastYesMs }: JournalEntry,
  evidence: BrokerEvidence,
): Forgotten | undefined {
  if (lastYesMs === undefined || evidence.hasAcknowledged(n)) return undefined;
  for (const death of evidence.deaths) {
    const how = notWritten(n, lastYesMs, death) ?? notSubscribed(n, lastYesMs, death, evidence);
    if (how !== undefined) return { n, what: `message ${n}: ${how}; no bridge has acknowledged it` };
  }
  return undefined;
}

function notWritten(
  n: number,
  yesMs: number,
  { goneAtMs, saved, storeAgeMs }: BrokerDeath,
): string | undefined {
  if (yesMs >= goneAtMs || saved.has(n)) return undefined;
  const store = storeAgeMs === undefined ? 'no store' : `a store written ${Math.round(storeAgeMs)} ms before`;
  const beforeMs = Math.round(goneAtMs - yesMs);
  return `the broker’s PUBACK came ${beforeMs} ms before it was gone, and it left ${store}, without the message`;
}

function notSubscribed(
  n: number,
  yesMs: number,
  { goneAtMs }: BrokerDeath,
  { isShared, hasDelivered, subscribedAfter }: BrokerEvidence,
): string | undefined {
  const subscribedMs = subscribedAfter(goneAtMs) ?? Number.POSITIVE_INFINITY;
  if (!isShared || hasDelivered(n) || yesMs < goneAtMs || yesMs > subscribedMs + readingMs) return undefined;
  const beforeMs = Math.round(subscribedMs - yesMs);
  return `the broker’s PUBACK came after its restart, ${beforeMs} ms before a bridge had subscribed again, and it never sent the message to one`;
}
