import { equalHash } from './token.ts';

/**
 * What a receipt's id says of a message, so that it can be found again without a table of receipts. The id is 60
 * bytes in base64url (80 characters): 44 of fields, 16 of an HMAC-SHA256 over them and the token that the message was
 * sent with. So nobody reads one that we did not write, nor one of another's message, and no token is looked up anywhere.
 */
export interface Receipt {
  readonly kind: ReceiptKind;
  /** JetStream knew the message already: `seq` is that of the first one, and nothing was added to the stream. */
  readonly repeated: boolean;
  /** Which life of the stream `seq` is of: see `streamLifeOf`; 0: the door did not know yet. */
  readonly streamLife: number;
  readonly seq: number;
  /** As in the envelope, ms since the epoch. */
  readonly arrivedAtMs: number;
  /** Event time as the worker will read it, µs since the epoch; undefined where it cannot be read. */
  readonly timeUs: number | undefined;
  /** 32 hex digits. */
  readonly identity: string;
  /** The first 24 bits of the body's hash; 0 for a kind that has none. Two bodies under one key are told apart by it. */
  readonly bodyTag: number;
}

export type ReceiptKind = 'key' | 'content' | 'fresh';

export interface ReceiptBook {
  /** The id under which the receipt is read with `token`. */
  issue(receipt: Receipt, token: string): string;
  /** Undefined for an id that this key did not make for this token. */
  read(id: string, token: string): Receipt | undefined;
}

const version = 1;
const kinds = ['fresh', 'content', 'key'] as const;
const fieldBytes = 44;
const macBytes = 16;
const idPattern = /^[A-Za-z0-9_-]{80}$/;
/** No event time: further back than any that can be read. */
const noTimeHigh = -(2 ** 31);
const receiptKeyBytes = 32;

/**
 * The key that signs receipts, from base64 of 32 bytes.
 *
 * @throws TypeError with one sentence; the text itself is not in it
 */
export function parseReceiptKey(base64: string): Buffer {
  const key = Buffer.from(base64, 'base64');
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(base64) && key.length === receiptKeyBytes) return key;
  throw new TypeError('The receipt key is not base64 of 32 bytes: make one with openssl rand -base64 32.');
}

/** 32 bits that tell one life of the stream from another. @param created JetStream's own spelling of its creation */
export function streamLifeOf(created: string): number {
  return new Bun.CryptoHasher('sha256').update(created).digest().readUInt32BE(0);
}

export function createReceiptBook(key: Uint8Array): ReceiptBook {
  // Copied for each receipt: its state holds the key already, which is half the work of so short a text.
  const keyed = new Bun.CryptoHasher('sha256', key);
  // Every accepted message has one: written into the same bytes each time.
  const id = Buffer.alloc(fieldBytes + macBytes);
  const fields = id.subarray(0, fieldBytes);
  const macOf = (fields: Uint8Array, token: string): Buffer =>
    keyed.copy().update(fields).update(token).digest();
  return {
    issue(receipt, token) {
      writeFields(id, receipt);
      macOf(fields, token).copy(id, fieldBytes, 0, macBytes);
      return id.toString('base64url');
    },
    read(id, token) {
      if (!idPattern.test(id)) return undefined;
      const bytes = Buffer.from(id, 'base64url');
      const mac = macOf(bytes.subarray(0, fieldBytes), token).subarray(0, macBytes);
      return equalHash(mac, bytes.subarray(fieldBytes)) ? readFields(bytes) : undefined;
    },
  };
}

/** What an id says, whoever made it: for operators, who may see everything anyway. Undefined for what is none. */
export function decodeReceipt(id: string): Receipt | undefined {
  return idPattern.test(id) ? readFields(Buffer.from(id, 'base64url')) : undefined;
}

function writeFields(into: Buffer, receipt: Receipt): void {
  const { kind, repeated, streamLife, seq, arrivedAtMs, timeUs, identity, bodyTag } = receipt;
  into[0] = (version << 4) | (kinds.indexOf(kind) << 1) | (repeated ? 1 : 0);
  into.writeUInt32BE(streamLife, 1);
  writeSixBytes(into, seq, 5);
  writeSixBytes(into, arrivedAtMs, 11);
  // Halves, two's complement: much faster than by way of a BigInt.
  into.writeInt32BE(timeUs === undefined ? noTimeHigh : Math.floor(timeUs / 2 ** 32), 17);
  into.writeUInt32BE((timeUs ?? 0) >>> 0, 21);
  into.write(identity, 25, 16, 'hex');
  into.writeUInt16BE(bodyTag >>> 8, 41);
  into[43] = bodyTag & 0xff;
}

function writeSixBytes(into: Buffer, value: number, at: number): void {
  into.writeUInt16BE(Math.floor(value / 2 ** 32), at);
  into.writeUInt32BE(value >>> 0, at + 2);
}

function readFields(from: Buffer): Receipt | undefined {
  const head = from.readUInt8(0);
  const kind = kinds[(head >> 1) & 3];
  if (head >> 4 !== version || kind === undefined) return undefined;
  const timeHigh = from.readInt32BE(17);
  return {
    kind,
    repeated: (head & 1) === 1,
    streamLife: from.readUInt32BE(1),
    seq: from.readUIntBE(5, 6),
    arrivedAtMs: from.readUIntBE(11, 6),
    timeUs: timeHigh === noTimeHigh ? undefined : timeHigh * 2 ** 32 + from.readUInt32BE(21),
    identity: from.toString('hex', 25, 41),
    bodyTag: from.readUIntBE(41, 3),
  };
}

/** See `Receipt.bodyTag`. */
export function bodyTagOf(bodyHash: string | undefined): number {
  return bodyHash === undefined ? 0 : Number.parseInt(bodyHash.slice(0, 6), 16);
}
