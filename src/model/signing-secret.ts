/** Bytes of a signing secret, as Standard Webhooks asks. */
const signingSecretBytes = { min: 24, max: 64 } as const;

const prefix = 'whsec_';

/** More than this many signatures a request would be a mistake. */
export const maxSigningSecrets = 4;

/**
 * The key inside a secret of Standard Webhooks, `whsec_` and base64 of 24 to 64 bytes.
 *
 * @throws TypeError with one sentence; the secret itself is not in it
 */
export function parseSigningSecret(secret: string): Buffer {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : '';
  const key = Buffer.from(text, 'base64');
  const { min, max } = signingSecretBytes;
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  if (isBase64 && key.length >= min && key.length <= max) return key;
  throw new TypeError(`A signing secret is ${prefix} and base64 of ${min} to ${max} bytes.`);
}

/** A new one, of 32 random bytes. */
export function createSigningSecret(random: Uint8Array): string {
  return `${prefix}${Buffer.from(random).toString('base64')}`;
}

/** The new secret in front of those that count already; without a new one the newest is left alone. */
export function rotatedSecrets(before: readonly string[], secret: string | undefined): string[] {
  return secret === undefined ? before.slice(0, 1) : [secret, ...before];
}
