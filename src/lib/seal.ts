import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Bytes that do not open: another key, another purpose, or damaged. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError';
}

export const sealKeyBytes = 32;

const algorithm = 'aes-256-gcm';
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;

/**
 * Encrypts a text with AES-256-GCM: version, nonce, tag, ciphertext. `purpose` says what the text is for; it is not
 * kept, and nothing opens it under another one.
 *
 * @param key 32 bytes
 */
export function seal(text: string, key: Uint8Array, purpose: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), sealed]);
}

/** @throws UnsealError when it was sealed with another key or for another purpose, or was changed since */
export function unseal(sealed: Uint8Array, key: Uint8Array, purpose: string): string {
  if (sealed[0] !== version || sealed.length < headBytes) {
    throw new UnsealError('The bytes are in no known sealed form.');
  }
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(1, 1 + nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(sealed.subarray(1 + nonceBytes, headBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new UnsealError('The bytes do not open: another key, another purpose, or they were changed.', {
      cause,
    });
  }
}
