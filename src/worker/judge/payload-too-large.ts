import { withoutMembers } from '../../model/json-text.ts';
import type { Draft, FormLimits } from './draft.ts';

/** The token does not count: a door adds it to a body that it has already measured. */
export function payloadTooLarge({ payloadText }: Draft, { maxBodyBytes }: FormLimits): string | undefined {
  // One UTF-16 unit is at most three bytes of UTF-8.
  if (payloadText.length * 3 <= maxBodyBytes) return undefined;
  if (Buffer.byteLength(payloadText) <= maxBodyBytes) return undefined;
  const bytes = Buffer.byteLength(withoutMembers(payloadText, ['provision_token']));
  return bytes <= maxBodyBytes
    ? undefined
    : `The payload has ${bytes} bytes without its token; the limit is ${maxBodyBytes}.`;
}
