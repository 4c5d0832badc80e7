import type { ProveMessage } from './message.ts';

/**
 * `yes`: 202, `accepted` or PUBACK. `no`: it was certainly not taken, as when nothing listens. `unknown`: anything
 * else; it may have been stored. A 503 counts as unknown, as the contract says.
 */
export type Answer = 'yes' | 'no' | 'unknown';

export interface SendOutcome {
  readonly answer: Answer;
  /** What was answered, or went wrong; for whoever has to find out. */
  readonly why?: string;
  /** An answer that the contract does not have. */
  readonly outOfContract?: string;
}

/** One door, as a device sees it. Never throws. */
export interface Sender {
  /** Sends them once, together where the door can; outcomes in their order. `attempt` counts from 0. */
  send(messages: readonly ProveMessage[], attempt: number): Promise<readonly SendOutcome[]>;
  close(): Promise<void>;
}

export const answerTimeoutMs = 2_500;
