import { canonicalJson } from '../model/canonical-hash.ts';
import { readMessage } from './read-message.ts';

/** What a reading is made of, beside the payload. */
const envelopeMembers = ['topic', 'tenant_id', 'device_id', 'msg_type', 'version', 'ts'] as const;

/**
 * Whether cutting has taken nothing from a message but its payload's own `provision_token`. Where it has (a token
 * stood elsewhere too), what is kept is not what was sent: stored, it would be a value that nobody sent. The same
 * where the message could not be read.
 */
export function isIntact(sent: Uint8Array, kept: Uint8Array): boolean {
  if (kept === sent) return true;
  const before = contentOf(sent);
  return before !== undefined && before === contentOf(kept);
}

function contentOf(data: Uint8Array): string | undefined {
  const { unreadable, envelope, payload } = readMessage({
    subject: '',
    seq: 0,
    timestampNs: 0n,
    msgId: undefined,
    deliveryCount: 1,
    data,
  });
  if (unreadable !== undefined) return undefined;
  const { provision_token, ...rest } = payload;
  return canonicalJson([...envelopeMembers.map((name) => envelope[name] ?? null), rest]);
}
