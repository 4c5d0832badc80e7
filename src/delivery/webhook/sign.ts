import { createHmac } from 'node:crypto';

/** Bytes of a signing secret, as Standard Webhooks asks. */
export const signingSecretBytes = { min: 24, max: 64 } as const;

const prefix = 'whsec_';

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

export interface SignedContent {
  readonly id: string;
  /** Seconds since the epoch: of the attempt, not of the message. */
  readonly timestamp: number;
  readonly body: Uint8Array;
}

/** The headers of Standard Webhooks; one signature for each secret, so that one can be replaced while both count. */
export function signatureHeaders(
  { id, timestamp, body }: SignedContent,
  secrets: readonly string[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', parseSigningSecret(secret));
    return `v1,${hmac.update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    ...(signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }),
  };
}
