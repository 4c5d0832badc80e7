import { createHmac } from 'node:crypto';
import { parseSigningSecret } from '../../model/signing-secret.ts';

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
