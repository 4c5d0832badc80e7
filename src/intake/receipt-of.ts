import { parseExactJson } from '../model/exact-json.ts';
import { bodyTagOf, type Receipt } from '../model/receipt.ts';
import { parseTimestamp } from '../model/timestamp.ts';
import type { AcceptedMessage, IncomingMessage } from './intake.ts';

/** The receipt of a message that was accepted. @param streamLife 0 where it is not known */
export function receiptOf(message: IncomingMessage, accepted: AcceptedMessage, streamLife: number): Receipt {
  const { seq, duplicate: repeated, identified, arrivedAtMs } = accepted;
  const { kind, identity, bodyHash } = identified;
  const time = parseTimestamp(exactTs(message), arrivedAtMs);
  const timeUs = time.ok && Number.isSafeInteger(time.timeUs) ? time.timeUs : undefined;
  return { kind, repeated, streamLife, seq, arrivedAtMs, timeUs, identity, bodyTag: bodyTagOf(bodyHash) };
}

/** As the worker will read it: of a number with many digits a double holds only some. */
function exactTs({ payload, payloadText }: IncomingMessage): unknown {
  const { ts } = payload;
  if (typeof ts !== 'number' || Number.isSafeInteger(ts)) return ts;
  const exact = parseExactJson(payloadText);
  return typeof exact === 'object' && exact !== null && 'ts' in exact ? exact.ts : undefined;
}
