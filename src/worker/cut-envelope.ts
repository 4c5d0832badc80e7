import { cutTokens } from '../model/json-text.ts';
import { decodeUtf8 } from '../model/strict-json.ts';

/** A run that may be base64, long enough to hold the name `provision_token`; some encoders write `/` as `\/`. */
const base64 = /[A-Za-z0-9+/_\\-]{20,}={0,2}/g;

/**
 * What quarantine keeps of a message: its bytes without provision tokens (see `cutTokens`), also without those
 * that hide in base64, as in a `payload_b64`. Takes any bytes, never throws.
 */
export function cutEnvelope(data: Uint8Array): Uint8Array {
  const text = decodeUtf8(data);
  const cut = text?.replace(base64, (run) => {
    const bytes = Buffer.from(run.replaceAll('\\', ''), 'base64');
    const kept = cutTokens(bytes).bytes;
    return kept === bytes ? run : Buffer.from(kept).toString('base64');
  });
  return cutTokens(cut === undefined || cut === text ? data : Buffer.from(cut)).bytes;
}
