import { withMember, withoutMembers } from '../../model/json-text.ts';
import { decodeUtf8, parseStrictJson, type StrictJsonFault } from '../../model/strict-json.ts';
import { equalHash, hashToken } from '../../model/token.ts';
import { cutEnvelope } from '../cut-envelope.ts';

/** The payload as text, and as the bytes that stand for it in base64. */
const payloadKeys = ['payload', 'payload_b64'];

/**
 * The envelope with another payload (JSON text) in the place of its own; whatever else it says stays as it came.
 * Undefined where the envelope cannot be read, so that there is no place for a payload in it.
 */
export function withPayload(envelope: Uint8Array, payloadText: string): Uint8Array | undefined {
  const text = decodeUtf8(envelope);
  if (text === undefined || !isObject(parseLoose(text))) return undefined;
  return Buffer.from(withMember(withoutMembers(text, payloadKeys), 'payload', payloadText));
}

/** Whatever is wrong with the payload goes with it: no depth and no key is refused here. */
function parseLoose(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const faults: Readonly<Record<StrictJsonFault, string>> = {
  not_utf8: 'is not UTF-8',
  not_json: 'is not JSON',
  too_deep: 'is nested too deeply',
  proto_key: 'has a __proto__ key',
};

export interface MendedLimits {
  /** Of the payload, in bytes of UTF-8. */
  readonly maxBodyBytes: number;
  /** Of tokens that must not stand in it as a value. */
  readonly tokenHashes: readonly Uint8Array[];
}

/** Why a text cannot take a payload's place: completes "The payload …". Undefined for one that can. */
export function faultOfPayload(
  text: string,
  { maxBodyBytes, tokenHashes }: MendedLimits,
): string | undefined {
  if (!text.isWellFormed()) return faults.not_utf8;
  const bytes = Buffer.from(text);
  if (bytes.length > maxBodyBytes) return `has ${bytes.length} bytes; the limit is ${maxBodyBytes}`;
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok) return faults[parsed.why];
  if (!isObject(parsed.value)) return 'is not a JSON object';
  // What is cut out of what devices send must not come in here.
  if (!Buffer.from(cutEnvelope(bytes)).equals(bytes))
    return 'holds a provision token: leave it out, the message is judged by the one that it was sent with';
  if (tokenHashes.length > 0 && holdsOneOf(parsed.value, tokenHashes))
    return "holds the device's token as a value: leave it out, tokens are not stored";
  return undefined;
}

function holdsOneOf(value: unknown, hashes: readonly Uint8Array[]): boolean {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string' && isOneOf(next, hashes)) return true;
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next) && Object.keys(next).some((key) => isOneOf(key, hashes))) return true;
    for (const child of Object.values(next)) if (child !== null && child !== undefined) open.push(child);
  }
  return false;
}

function isOneOf(text: string, hashes: readonly Uint8Array[]): boolean {
  const hash = hashToken(text);
  return hashes.some((one) => equalHash(one, hash));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
