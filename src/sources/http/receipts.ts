import type { AcceptedMessage, IncomingMessage } from '../../intake/intake.ts';
import { receiptOf } from '../../intake/receipt-of.ts';
import type { SettledFate, SettledWait, SettledWaits } from '../../intake/settled-waits.ts';
import type { Fate } from '../../model/fate.ts';
import type { Receipt, ReceiptBook } from '../../model/receipt.ts';

/** One route's job for a message. */
export interface RouteDelivery {
  readonly route: string;
  readonly status: 'waiting' | 'delivered' | 'dead';
  readonly attempts: number;
  /** ISO 8601; of the delivery, of giving it up, or of the next attempt. */
  readonly at: string | undefined;
}

export interface ReceiptsOptions {
  /** Undefined: no receipts are given or read here. */
  readonly book: ReceiptBook | undefined;
  /** Of the stream that takes the messages; 0 while it is not known. */
  readonly streamLife: () => number;
  /** What became of each; rejects while the database cannot be asked. */
  readonly find: (receipts: readonly Receipt[]) => Promise<readonly Fate[]>;
  /** Of a stored message; rejects while the database cannot be asked. */
  readonly deliveries: (receipt: Receipt) => Promise<readonly RouteDelivery[]>;
  /** Undefined while NATS has not been reached. */
  readonly waits: () => SettledWaits | undefined;
  readonly retentionMs: number;
}

export const receiptsPath = '/ingest/v1/receipts/:receipt_id';

export function receiptLocation(id: string): string {
  return `/ingest/v1/receipts/${id}`;
}

/** A wait that was asked for and granted. */
export interface GrantedWait {
  readonly seconds: number;
  readonly wait: SettledWait;
}

export function grantWait(
  { waits }: Pick<ReceiptsOptions, 'waits'>,
  seconds: number | undefined,
): GrantedWait | undefined {
  const wait = seconds === undefined ? undefined : waits()?.open();
  return seconds === undefined || wait === undefined ? undefined : { seconds, wait };
}

/** The receipt's id; undefined where none are given. */
export function issueReceipt(
  { book, streamLife }: Pick<ReceiptsOptions, 'book' | 'streamLife'>,
  message: IncomingMessage,
  accepted: AcceptedMessage,
): string | undefined {
  return book?.issue(receiptOf(message, accepted, streamLife()), message.token);
}

export function awaitFate(
  { streamLife }: Pick<ReceiptsOptions, 'streamLife'>,
  { seconds, wait }: GrantedWait,
  message: IncomingMessage,
  accepted: AcceptedMessage,
  gone: AbortSignal,
): Promise<SettledFate | undefined> {
  return wait.settled(receiptOf(message, accepted, streamLife()), seconds * 1_000, gone);
}

/** As receipts and waited answers show it. `discarded` is what was quarantined and is not kept. */
export function fateAsJson(fate: Fate): Record<string, unknown> {
  switch (fate.status) {
    case 'queued':
      return { status: 'queued' };
    case 'stored':
      return { status: 'stored', time: fate.time };
    case 'duplicate':
      return { status: 'duplicate', first: { status: 'stored', time: fate.firstTime ?? null } };
    case 'quarantined':
      return { status: 'quarantined', ...fate.rejection, kept: true };
    case 'discarded':
      return { status: 'quarantined', reason: null, detail: discardedDetail, kept: false };
    case 'forgotten':
      return { status: 'forgotten' };
  }
}

export const discardedDetail = 'it was refused, and is not kept in the quarantine any more';
