import { type PublicRejection, publicRejection } from './public-rejection.ts';
import { type Reason, reasons } from './reasons.ts';
import { bodyTagOf, type Receipt } from './receipt.ts';

/** What became of an accepted message. Times are ISO 8601 in UTC, to the microsecond. */
export type Fate =
  /** Without an outcome yet. */
  | { readonly status: 'queued' }
  | { readonly status: 'stored'; readonly time: string }
  /** `firstTime`: event time of the message that was stored; undefined where that is not known any more. */
  | { readonly status: 'duplicate'; readonly firstTime: string | undefined }
  | { readonly status: 'quarantined'; readonly rejection: PublicRejection }
  /** It was quarantined, and is not there any more: evicted by the limits, purged, or not kept at all. */
  | { readonly status: 'discarded' }
  /** It has an outcome, and what told which is not kept any more. */
  | { readonly status: 'forgotten' };

/** What the database holds of a receipt's message. */
export interface Evidence {
  /** The row under the message's identity: its own, or the one that it repeats. */
  readonly row:
    | { readonly time: string; readonly streamSeq: number; readonly arrivedAtMs: number }
    | undefined;
  /** Of the key's owner; undefined where the key is not remembered, or there is none. */
  readonly keyBodyHash: string | undefined;
  readonly quarantined: { readonly reason: string; readonly detail: string } | undefined;
  /** The sequence has its outcome. */
  readonly claimed: boolean;
}

export interface FateLimits {
  /** A key is forgotten some time after so many ms. */
  readonly keepKeysMs: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** What the evidence says; each kind of it is written in the one transaction that settles a message. */
export function fateOf(receipt: Receipt, evidence: Evidence, limits: FateLimits): Fate {
  const { row, quarantined, claimed } = evidence;
  if (row !== undefined && isOwn(receipt, row)) return { status: 'stored', time: row.time };
  if (quarantined !== undefined) return { status: 'quarantined', rejection: rejectionOf(quarantined) };
  if (!claimed) return { status: 'queued' };
  if (repeats(receipt, evidence)) return { status: 'duplicate', firstTime: row?.time };
  const keyMayBeForgotten =
    receipt.kind === 'key' && limits.nowMs - receipt.arrivedAtMs >= limits.keepKeysMs && row === undefined;
  return { status: keyMayBeForgotten ? 'forgotten' : 'discarded' };
}

/**
 * The same number and moment of arrival. A resend has another number; one that JetStream dropped has the first
 * one's number, and is marked. A fresh identity is nobody else's.
 */
function isOwn(receipt: Receipt, row: NonNullable<Evidence['row']>): boolean {
  if (receipt.repeated) return false;
  if (receipt.kind === 'fresh') return true;
  return row.streamSeq === receipt.seq && row.arrivedAtMs === receipt.arrivedAtMs;
}

/** Under a key the body may be another one, which was quarantined as reuse. */
function repeats(receipt: Receipt, { row, keyBodyHash }: Evidence): boolean {
  if (receipt.kind !== 'key') return row !== undefined;
  return keyBodyHash === undefined ? row !== undefined : bodyTagOf(keyBodyHash) === receipt.bodyTag;
}

function rejectionOf({ reason, detail }: NonNullable<Evidence['quarantined']>): PublicRejection {
  // One that a newer release wrote is told as it stands in the column only where we know that it is harmless.
  if (isReason(reason)) return publicRejection({ reason, detail });
  return publicRejection({ reason: 'UNREGISTERED_DEVICE', detail });
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(reasons, text);
}
