import type { MessageIdentity, RawMessage, Reading, Rejection } from '../model/verdict.ts';

/** A message after the checks that need nothing but itself: what `decode` makes of a `RawMessage`. */
export interface Decoded {
  readonly raw: RawMessage;
  /** As far as they could be read; from the subject where the envelope does not say. */
  readonly tenantId: string | undefined;
  readonly deviceId: string | undefined;
  readonly msgType: string | undefined;
  /** Arrival at the source; JetStream's timestamp where the envelope says nothing usable. */
  readonly arrivedAtMs: number;
  readonly identity: MessageIdentity;
  /** SHA-256 of the token it was sent with; undefined without one. */
  readonly tokenSha256: Uint8Array | undefined;
  readonly result:
    | { readonly form: 'reading'; readonly reading: Reading }
    | { readonly form: 'rejected'; readonly rejection: Rejection }
    /** A canary of the system's own tenant. */
    | { readonly form: 'internal' };
}
