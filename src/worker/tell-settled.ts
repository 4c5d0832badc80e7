import { parseTraceparent } from '../model/trace-context.ts';
import type { MessageAbout, MessageLog } from '../observe/message-log.ts';
import type { PulledMessage } from '../stream/puller.ts';
import type { Decoded } from './decoded.ts';
import type { Settled } from './settle.ts';

/** A line in the log for each message that was quarantined or came again; none for what was simply stored. */
export function createSettledLog(log: MessageLog): (settled: readonly Settled[]) => void {
  return (settled) => {
    for (const { entry, outcome, verdict } of settled) {
      if (outcome === 'duplicate') log.tell('message_duplicate', () => aboutOf(entry));
      else if (outcome === 'quarantined' && verdict?.outcome === 'quarantine') {
        const { reason, detail } = verdict.rejection;
        log.tell('message_quarantined', () => ({ ...aboutOf(entry), reason, detail }));
      }
    }
  };
}

/** Which message it is. */
export function aboutOf({
  message,
  decoded,
}: {
  readonly message: PulledMessage;
  readonly decoded: Decoded;
}): MessageAbout {
  const { seq, deliveryCount, traceparent } = message;
  const { tenantId, deviceId, identity } = decoded;
  const traceId = parseTraceparent(traceparent)?.traceId;
  return { tenantId, deviceId, identity: identity.identity, seq, deliveryCount, traceId };
}
