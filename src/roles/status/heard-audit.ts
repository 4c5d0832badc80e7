import type { NatsConnection } from '@nats-io/nats-core';
import { auditSubject } from '../../stream/subjects.ts';

/** What the worker that audits told last. */
export interface HeardAudit {
  /** Sequences without an outcome, over all epochs. */
  readonly unaccounted: number;
  /** Of these, what no operator has acknowledged. */
  readonly unacknowledged: number;
}

export interface AuditListener {
  /** Undefined: nothing was heard for a while, so nothing is known. */
  current(): HeardAudit | undefined;
  drain(): Promise<void>;
}

/** An audit comes every 10 s; after three that did not, the last one says nothing any more. */
const staleAfterMs = 35_000;

/** @param now Milliseconds, monotonic. */
export function listenToAudit(nc: NatsConnection, now: () => number): AuditListener {
  let heard: { readonly audit: HeardAudit; readonly atMs: number } | undefined;
  const subscription = nc.subscribe(auditSubject, {
    callback: (error, message) => {
      const audit = error === null ? parseAudit(message.string()) : undefined;
      if (audit !== undefined) heard = { audit, atMs: now() };
    },
  });
  return {
    current: () => (heard === undefined || now() - heard.atMs > staleAfterMs ? undefined : heard.audit),
    async drain() {
      if (!nc.isClosed()) subscription.unsubscribe();
    },
  };
}

function parseAudit(text: string): HeardAudit | undefined {
  try {
    const { unaccounted, unacknowledged } = JSON.parse(text) as Record<string, unknown>;
    if (typeof unaccounted !== 'number' || typeof unacknowledged !== 'number') return undefined;
    return { unaccounted, unacknowledged };
  } catch {
    // Of another version, or of somebody else.
    return undefined;
  }
}
