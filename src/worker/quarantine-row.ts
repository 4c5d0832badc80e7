import type { RawMessage } from '../model/verdict.ts';
import type { QuarantineRow } from '../store/statements/insert-quarantine.ts';
import { cutEnvelope } from './cut-envelope.ts';
import { isIntact } from './intact.ts';
import type { Claimed, PlanEntry } from './plan.ts';

/** Control characters and lone surrogates: NATS takes nearly any byte in a subject, a text column and a terminal do not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Cs}/gu;

/**
 * The quarantine's row for a message that was refused; undefined for any other. The token stops here.
 * @param budget whose share of the quarantine it takes: see `budgetOf`
 */
export function quarantineRow(
  { entry, verdict }: Claimed<PlanEntry>,
  epoch: number,
  budget: string,
): QuarantineRow | undefined {
  if (verdict.outcome !== 'quarantine') return undefined;
  const { decoded, message } = entry;
  const { reason, detail, sqlstate } = verdict.rejection;
  const envelope = cutEnvelope(message.data);
  const row = {
    reason,
    detail,
    sqlstate,
    tenantId: decoded.tenantId,
    deviceId: decoded.deviceId,
    msgType: decoded.msgType,
    subject: printable(message.subject),
    arrivedAtMs: decoded.arrivedAtMs,
    envelope,
    intact: isIntact(message.data, envelope),
    tokenSha256: decoded.tokenSha256,
    identity: decoded.identity.identity,
    identityKind: decoded.identity.kind,
    bodyHash: decoded.identity.bodyHash,
    epoch,
    streamSeq: message.seq,
    budget,
  };
  return entry.bare ? { ...row, ...bareColumns(message) } : row;
}

/** Instead of what came with the message, one of which the database refused for a reason that we do not know. */
function bareColumns({ timestampNs }: RawMessage) {
  return {
    tenantId: undefined,
    deviceId: undefined,
    msgType: undefined,
    subject: '(not storable)',
    arrivedAtMs: Number(timestampNs / 1_000_000n),
    tokenSha256: undefined,
  };
}

/** What cannot be stored or shown is written as its escape, so that no subject can stop a worker. */
function printable(subject: string): string {
  return subject.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
