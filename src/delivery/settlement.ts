import type { PulledMessage } from '../stream/pulled-message.ts';
import type { DeadReason } from './outcome.ts';
import type { Parcel } from './parcel.ts';

/** Where a parcel came from, and so what is to be done when it is settled. */
export type Origin =
  /** Acknowledged after COMMIT. */
  | { readonly kind: 'stream'; readonly messages: readonly PulledMessage[] }
  /** A row of route_schedule, leased. */
  | { readonly kind: 'schedule' };

export type Verdict =
  | { readonly kind: 'delivered' }
  /** An attempt failed, or none could be made. */
  | {
      readonly kind: 'wait';
      readonly dueInMs: number;
      /** Made so far. */
      readonly attempts: number;
      /** Undefined: none was made now. */
      readonly error: string | undefined;
    }
  | {
      readonly kind: 'dead';
      readonly reason: DeadReason;
      readonly detail: string;
      readonly attempts: number;
      /** The route is disabled with it, unless it was changed since that version. */
      readonly disable?: { readonly version: number };
    };

export interface Settlement {
  readonly parcel: Parcel;
  readonly origin: Origin;
  /** Undefined: as it is called now. */
  readonly routeName: string | undefined;
  readonly verdict: Verdict;
}

export function messagesOf({ origin }: Settlement): readonly PulledMessage[] {
  return origin.kind === 'stream' ? origin.messages : [];
}
