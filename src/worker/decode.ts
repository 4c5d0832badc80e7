import { holdsToken } from '../model/holds-token.ts';
import { canaryTenantId, isDeviceId, isTenantId } from '../model/identifiers.ts';
import { identify, parseMsgId, sequenceIdentity } from '../model/identity.ts';
import { hashToken } from '../model/token.ts';
import type { MessageIdentity, RawMessage, Reading } from '../model/verdict.ts';
import { buildReading } from './build-reading.ts';
import type { Decoded } from './decoded.ts';
import type { Draft, FormLimits } from './judge/draft.ts';
import { judgeForm } from './judge/form.ts';
import { readMessage } from './read-message.ts';

export interface DecodeOptions extends FormLimits {
  /** Name of the stream, part of the identity of messages that came without an id. */
  readonly stream: string;
}

/** What quarantine has put in the place of a token that it cut out. */
export interface CutToken {
  /** Undefined: the message had none. */
  readonly tokenSha256: Uint8Array | undefined;
}

/**
 * Reads a message and checks its form: everything that can be said of it without the registry. Pure, and
 * never throws, whatever the bytes are.
 * @param cut for a message out of the quarantine
 */
export function decode(raw: RawMessage, options: DecodeOptions, cut?: CutToken): Decoded {
  const draft = readMessage(raw);
  const token = cut ?? { tokenSha256: draft.token === undefined ? undefined : hashToken(draft.token) };
  const result = resultOf(draft, options);
  const address =
    result.form === 'reading' ? addressOfReading(result.reading, draft.token) : addressOf(draft);
  return {
    raw,
    tenantId: address.tenantId,
    deviceId: address.deviceId,
    msgType: address.msgType,
    arrivedAtMs: draft.arrivedAtMs,
    identity: identityOf(raw, draft, result.form === 'reading', { ...token, stream: options.stream }),
    tokenSha256: token.tokenSha256,
    result,
  };
}

function resultOf(draft: Draft, limits: FormLimits): Decoded['result'] {
  // Only the system publishes there: the doors refuse a tenant that starts with an underscore.
  if (draft.subjectTenant === canaryTenantId) return { form: 'internal' };
  const rejection = judgeForm(draft, limits);
  return rejection === undefined
    ? { form: 'reading', reading: buildReading(draft) }
    : { form: 'rejected', rejection };
}

type Address = Pick<Decoded, 'tenantId' | 'deviceId' | 'msgType'>;

/** Its checks have found that subject, topic and envelope say the same; a short token may still be equal to a word. */
function addressOfReading({ tenantId, deviceId, msgType }: Reading, token: string | undefined): Address {
  return {
    tenantId,
    deviceId: holdsToken(deviceId, token) ? undefined : deviceId,
    msgType: holdsToken(msgType, token) ? undefined : msgType,
  };
}

/** Texts that columns and pages show: only what is safe there. The subject is the publisher's word, so it wins. */
function addressOf({ subjectTenant, envelope, topic, token }: Draft): Address {
  const tenants = [subjectTenant, envelope.tenant_id, topic?.tenantId];
  const devices = [envelope.device_id, topic?.deviceId];
  const msgTypes = [envelope.msg_type, topic?.msgType];
  return {
    tenantId: subjectTenant === canaryTenantId ? subjectTenant : tenants.find(isTenantId),
    deviceId: devices.filter(isDeviceId).find((id) => !holdsToken(id, token)),
    msgType: msgTypes.filter(isPlainWord).find((word) => !holdsToken(word, token)),
  };
}

function isPlainWord(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_.-]{1,32}$/.test(value);
}

/** As the door determined it; else by the same rules; else by the place in the stream. */
function identityOf(
  raw: RawMessage,
  draft: Draft,
  isReading: boolean,
  { tokenSha256, stream }: CutToken & Pick<DecodeOptions, 'stream'>,
): MessageIdentity {
  const given = raw.msgId === undefined ? undefined : parseMsgId(raw.msgId);
  if (given !== undefined) return given;
  if (isReading) {
    const found = identify({
      tenantId: String(draft.envelope.tenant_id),
      deviceId: String(draft.envelope.device_id),
      msgType: String(draft.envelope.msg_type),
      token: draft.token ?? '',
      tokenSha256,
      payload: draft.payload,
      payloadText: draft.payloadText,
      randomBytes: (size) => new Uint8Array(size),
    });
    // A random identity would be another one at every delivery.
    if (found.kind !== 'fresh') return found;
  }
  const { seq, timestampNs } = raw;
  return {
    kind: 'sequence',
    identity: sequenceIdentity({ stream, seq, timestampNs }),
    bodyHash: undefined,
  };
}
