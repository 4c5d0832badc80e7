import type { QuarantineRow } from '../store/statements/insert-quarantine.ts';
import { cutEnvelope } from './cut-envelope.ts';
import type { Claimed } from './plan.ts';

/** The quarantine's row for a message that was refused; undefined for any other. The token stops here. */
export function quarantineRow({ entry, verdict }: Claimed, epoch: number): QuarantineRow | undefined {
  if (verdict.outcome !== 'quarantine') return undefined;
  const { decoded, message } = entry;
  const { reason, detail, sqlstate } = verdict.rejection;
  return {
    reason,
    detail,
    sqlstate,
    tenantId: decoded.tenantId,
    deviceId: decoded.deviceId,
    msgType: decoded.msgType,
    subject: message.subject,
    arrivedAtMs: decoded.arrivedAtMs,
    envelope: cutEnvelope(message.data),
    tokenSha256: decoded.tokenSha256,
    identity: decoded.identity.identity,
    identityKind: decoded.identity.kind,
    bodyHash: decoded.identity.bodyHash,
    epoch,
    streamSeq: message.seq,
  };
}
