/** What came of one attempt. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | Retry
  /** Not tried again. */
  | { readonly kind: 'dead'; readonly reason: FinalReason; readonly detail: string }
  /** The destination is gone for good (410): the route is disabled. */
  | { readonly kind: 'gone'; readonly detail: string };

export interface Retry {
  readonly kind: 'retry';
  readonly error: string;
  /** Whether it speaks of the destination as a whole: then the breaker counts it. */
  readonly unwell: boolean;
  /** The destination asks to be left alone for so long. */
  readonly retryAfterMs?: number;
}

export type FinalReason = 'REFUSED' | 'ADDRESS_REFUSED' | 'UNDELIVERABLE';

/** Why a job became a dead letter here. */
export type DeadReason = FinalReason | 'GAVE_UP' | 'ROUTE_DISABLED' | 'ROUTE_REMOVED';

/** As text that PostgreSQL takes and a terminal shows. */
export function describeError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return printable(code === undefined || message.includes(code) ? message : `${code}: ${message}`);
}

const maxDetailLength = 300;

export function printable(text: string): string {
  // Control characters, and halves of pairs that stand alone.
  const clean = text
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return clean.length <= maxDetailLength ? clean : `${clean.slice(0, maxDetailLength).toWellFormed()}…`;
}
