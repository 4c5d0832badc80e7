import type { ScriptedMessage } from './script.ts';
import type { SendOutcome } from './tally.ts';

/** Sends messages one way; answers for each of them, in their order. Never throws. */
export interface Sender {
  send(messages: readonly ScriptedMessage[]): Promise<readonly SendOutcome[]>;
  close(): Promise<void>;
}

/** What the three ways have in common. */
export interface SenderOptions {
  readonly tenantId: string;
  /** Without an answer within this time the outcome is unknown. */
  readonly timeoutMs: number;
}
