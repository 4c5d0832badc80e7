import { holdsToken } from '../model/holds-token.ts';
import type { IdentifiedMessage } from '../model/identity.ts';
import type { MessageAbout, MessageLog } from '../observe/message-log.ts';
import type { IncomingMessage, IntakeResult } from './intake-contract.ts';

/** A line in the log for what the door refuses, and for what JetStream had already. */
export function tellOutcome(
  log: MessageLog,
  message: IncomingMessage,
  identified: IdentifiedMessage | undefined,
  result: IntakeResult,
): void {
  if (!result.ok) {
    const { refusal, detail } = result;
    log.tell('message_refused', () => ({ ...aboutOf(message, identified), refusal, detail }));
  } else if (result.duplicate) {
    const { seq } = result;
    log.tell('message_duplicate', () => ({ ...aboutOf(message, identified), seq }));
  }
}

function aboutOf(
  { source, tenantId, deviceId, token, trace }: IncomingMessage,
  identified: IdentifiedMessage | undefined,
): MessageAbout {
  const { identity } = identified ?? {};
  const traceId = trace?.context.traceId;
  return { source, tenantId, deviceId: shown(deviceId, token), identity, traceId };
}

/** A device's id that is its token, by mistake or by design, is not written. */
export function shown(id: string, token: string): string | undefined {
  return token !== '' && holdsToken(id, token) ? undefined : id;
}
