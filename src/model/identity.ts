import { bodyHash, canonicalJson, shortHash } from './canonical-hash.ts';
import { isRawNumber, mayLoseValue, parseExactJson } from './exact-json.ts';
import { hashToken } from './token.ts';

/**
 * What makes two sends the same message. An identity is 16 bytes, shown as 32 lower-case hex digits:
 * - `key`: the device named it (`Idempotency-Key`, or `msg_id` in the payload);
 * - `content`: the device gave `ts` and `seq`, and the body is the same;
 * - `fresh`: neither, so each send is its own message (16 random bytes);
 * - `sequence`: published by somebody else without an id; its place in the stream identifies it.
 */
export type IdentityKind = 'key' | 'content' | 'fresh' | 'sequence';

/** Who sent it. The token's hash is part of it, so that a stranger cannot occupy a device's keys. */
export interface Sender {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly msgType: string;
  /** SHA-256 of the token as hex. */
  readonly tokenSha256: string;
}

export interface IdentifiedMessage {
  readonly kind: 'key' | 'content' | 'fresh';
  readonly identity: string;
  /** For `key` and `content`: 16 bytes of the canonical body's SHA-256, 32 hex digits. */
  readonly bodyHash: string | undefined;
}

const maxMsgIdLength = 200;

export function keyIdentity(parts: Sender & { key: string }): string {
  return hashParts('key', ...senderParts(parts), parts.key);
}

/** `ts` and `seq` as parsed; they count by value, so `1` and `1.0` are the same and `"1"` is another. */
export function contentIdentity(parts: Sender & { ts: unknown; seq: unknown; bodyHash: string }): string {
  const { ts, seq } = parts;
  return hashParts('content', ...senderParts(parts), canonicalJson(ts), canonicalJson(seq), parts.bodyHash);
}

/** The timestamp tells a recreated or restored stream's sequence from the earlier one of the same number. */
export function sequenceIdentity(position: { stream: string; seq: number; timestampNs: bigint }): string {
  return hashParts('sequence', position.stream, String(position.seq), String(position.timestampNs));
}

function senderParts({ tenantId, deviceId, msgType, tokenSha256 }: Sender): string[] {
  return [tenantId, deviceId, msgType, tokenSha256];
}

/** As a JSON array no two lists of parts have the same text, and lone surrogates stay distinct through UTF-8. */
function hashParts(...parts: string[]): string {
  return shortHash(JSON.stringify(parts));
}

export interface MessageToIdentify {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly msgType: string;
  /** As sent; empty without one. */
  readonly token: string;
  /** Where the token itself is not at hand any more: its SHA-256. */
  readonly tokenSha256?: Uint8Array | undefined;
  /** The `Idempotency-Key` header; empty counts as absent. */
  readonly idempotencyKey?: string | undefined;
  /** The payload as JSON.parse gave it. */
  readonly payload: unknown;
  /** The text it was parsed from: numbers a double cannot hold are read again from it for the body's hash. */
  readonly payloadText: string;
  /** `size` random bytes, as node:crypto's randomBytes. */
  readonly randomBytes: (size: number) => Uint8Array;
}

/** The identity of a message at a door: by key, else by content, else fresh. Hashes nothing for a fresh one. */
export function identify(message: MessageToIdentify): IdentifiedMessage {
  const key = givenKey(message);
  if (key !== undefined) {
    const body = bodyHash(exactPayload(message));
    return { kind: 'key', identity: keyIdentity({ ...senderOf(message), key }), bodyHash: body };
  }
  if (isGiven(fieldOf(message.payload, 'ts')) && isGiven(fieldOf(message.payload, 'seq'))) {
    const exact = exactPayload(message);
    const body = bodyHash(exact);
    const [ts, seq] = [fieldOf(exact, 'ts'), fieldOf(exact, 'seq')];
    const identity = contentIdentity({ ...senderOf(message), ts, seq, bodyHash: body });
    return { kind: 'content', identity, bodyHash: body };
  }
  const identity = Buffer.from(message.randomBytes(16)).toString('hex');
  return { kind: 'fresh', identity, bodyHash: undefined };
}

/** A payload's `msg_id` counts when it is a string of 1 to 200 characters; anything else is ordinary data. */
function givenKey({ idempotencyKey, payload }: MessageToIdentify): string | undefined {
  if (idempotencyKey !== undefined && idempotencyKey !== '') return idempotencyKey;
  const msgId = fieldOf(payload, 'msg_id');
  return typeof msgId === 'string' && msgId !== '' && msgId.length <= maxMsgIdLength ? msgId : undefined;
}

/** `ts` and `seq` count when they are numbers or non-empty strings. */
function isGiven(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') || isRawNumber(value);
}

function exactPayload({ payload, payloadText }: MessageToIdentify): unknown {
  return mayLoseValue.test(payloadText) ? parseExactJson(payloadText) : payload;
}

function senderOf({ tenantId, deviceId, msgType, token, tokenSha256 }: MessageToIdentify): Sender {
  const hash = Buffer.from(tokenSha256 ?? hashToken(token));
  return { tenantId, deviceId, msgType, tokenSha256: hash.toString('hex') };
}

function fieldOf(payload: unknown, name: string): unknown {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return undefined;
  return (payload as Record<string, unknown>)[name];
}

const msgIdPattern = /^(?:([kc])1\.([0-9a-f]{32})\.([0-9a-f]{32})|f1\.([0-9a-f]{32}))$/;

/**
 * The `Nats-Msg-Id` header: `k1.{identity}.{bodyHash}` (key), `c1.…` (content), `f1.{identity}` (fresh). The
 * hash is in it since JetStream drops by id alone: the same key with another body must arrive, to be quarantined.
 */
export function encodeMsgId({ kind, identity, bodyHash }: IdentifiedMessage): string {
  return bodyHash === undefined ? `f1.${identity}` : `${kind === 'key' ? 'k' : 'c'}1.${identity}.${bodyHash}`;
}

/** Reads what `encodeMsgId` wrote; `undefined` for any other text (somebody else's id). */
export function parseMsgId(text: string): IdentifiedMessage | undefined {
  const parts = msgIdPattern.exec(text);
  if (parts === null) return undefined;
  const [, letter, identity, bodyHash, fresh] = parts;
  if (fresh !== undefined) return { kind: 'fresh', identity: fresh, bodyHash: undefined };
  if (identity === undefined || bodyHash === undefined) return undefined;
  return { kind: letter === 'k' ? 'key' : 'content', identity, bodyHash };
}
