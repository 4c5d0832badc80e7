import type { Outcome } from './outcome.ts';
import type { Parcel } from './parcel.ts';

/** Delivers to one route's destination. */
export interface Sender {
  /** Of those that share a place that can be down: breaker and limit count for it. */
  readonly destination: string;
  /** Ends within the attempt's timeout, and never rejects. */
  send(parcel: Parcel): Promise<Outcome>;
  /** Closes what it keeps open; what is under way may fail. */
  close?(): void;
}
