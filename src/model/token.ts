import { hash, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Prefixes let leak scanners recognise our secrets; the checksum keeps them from crying wolf. */
export const deviceTokenPrefix = 'trb_';
export const operatorKeyPrefix = 'trbop_';
export const tenantKeyPrefix = 'trk_';

export type SecretPrefix = typeof deviceTokenPrefix | typeof operatorKeyPrefix | typeof tenantKeyPrefix;

/** How many random bytes a secret is made of. */
export const secretBytes = 32;

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The least n with 62^n > 2^256. */
const bodyLength = 43;
/** The least n with 62^n > 2^32. */
const checksumLength = 6;
const secretPattern = /^(?:trb_|trbop_|trk_)[0-9A-Za-z]{49}$/;

/**
 * A device token, operator key or tenant key: the prefix, 256 random bits in base62 (43 characters), and the CRC-32 of
 * everything before it in base62 (6 characters). Throws RangeError unless given 32 random bytes.
 */
export function createSecret(prefix: SecretPrefix, random: Uint8Array): string {
  if (random.length !== secretBytes) {
    throw new RangeError(`a secret needs ${secretBytes} random bytes, not ${random.length}`);
  }
  const body = prefix + toBase62(BigInt(`0x${Buffer.from(random).toString('hex')}`), bodyLength);
  return body + checksumOf(body);
}

/** Whether a text is a secret that this program could have made. Says nothing about whether it is valid. */
export function isOwnSecret(text: string): boolean {
  return (
    secretPattern.test(text) && text.slice(-checksumLength) === checksumOf(text.slice(0, -checksumLength))
  );
}

/** SHA-256 of a token or key: 32 bytes, what the registry holds. A slow hash would buy nothing for 256 random bits. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** Compares two hashes in constant time; of different lengths they are unequal. */
export function equalHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function checksumOf(text: string): string {
  return toBase62(BigInt(crc32(text)), checksumLength);
}

function toBase62(value: bigint, length: number): string {
  let rest = value;
  let text = '';
  for (let place = 0; place < length; place++) {
    text = base62.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

const maxTokenLength = 512;

/** Why a token that somebody brings cannot be used; undefined when it can. It must fit into an HTTP header. */
export function tokenFault(token: string): string | undefined {
  if (token.length === 0 || token.length > maxTokenLength)
    return `must have 1 to ${maxTokenLength} characters`;
  return /^[\x21-\x7e]+$/.test(token) ? undefined : 'must be of visible ASCII characters, without spaces';
}
