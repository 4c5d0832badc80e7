import type { Way } from './fleet.ts';
import { createLatencies, type Latencies } from './latency.ts';
import type { ScriptedMessage } from './script.ts';

/** How sending one message ended. `unknown`: no answer, it may have been stored. */
export type SendOutcome =
  | { readonly result: 'accepted' }
  | { readonly result: 'refused'; readonly why: string }
  | { readonly result: 'unknown'; readonly why: string };

export interface Counts {
  sent: number;
  accepted: number;
  refused: number;
  unknown: number;
}

export interface Tally {
  readonly total: Counts;
  readonly ways: Readonly<Record<Way, Counts>>;
  /** What was accepted, by what it was on purpose. */
  readonly accepted: { plain: number; late: number; duplicate: number; wrong_token: number };
  /** Heartbeats among what should end up as rows. */
  readonly heartbeats: { expected: number };
  /** Why messages were refused or went unanswered, with counts. */
  readonly reasons: ReadonlyMap<string, number>;
  /** From sending a request to its answer. */
  readonly latencies: Latencies;
  sending(message: ScriptedMessage): void;
  settle(message: ScriptedMessage, outcome: SendOutcome, durationMs: number): void;
}

const maxReasons = 20;

function leavesRow({ purpose }: ScriptedMessage): boolean {
  return purpose === 'plain' || purpose === 'late';
}

export function createTally(): Tally {
  const counts = (): Counts => ({ sent: 0, accepted: 0, refused: 0, unknown: 0 });
  const reasons = new Map<string, number>();
  const tally: Tally = {
    total: counts(),
    ways: { http: counts(), batch: counts(), mqtt: counts() },
    accepted: { plain: 0, late: 0, duplicate: 0, wrong_token: 0 },
    heartbeats: { expected: 0 },
    reasons,
    latencies: createLatencies(),
    sending: (message) => {
      tally.total.sent += 1;
      tally.ways[message.device.way].sent += 1;
    },
    settle: (message, outcome, durationMs) => {
      tally.total[outcome.result] += 1;
      tally.ways[message.device.way][outcome.result] += 1;
      if (outcome.result === 'accepted') {
        tally.accepted[message.purpose] += 1;
        if (message.msgType === 'heartbeat' && leavesRow(message)) tally.heartbeats.expected += 1;
      } else {
        const why = reasons.has(outcome.why) || reasons.size < maxReasons ? outcome.why : 'other';
        reasons.set(why, (reasons.get(why) ?? 0) + 1);
      }
      if (outcome.result !== 'unknown') tally.latencies.record(durationMs);
    },
  };
  return tally;
}
