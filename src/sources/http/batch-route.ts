import type { Intake, IntakeResult } from '../../intake/intake.ts';
import type { BatchReason } from '../../model/errors.ts';
import { readBatch } from './batch-body.ts';
import { readItem, reasonFor } from './batch-item.ts';
import { longestRetryAfterSeconds, refuse } from './problem.ts';
import { type BodyLimits, readBody } from './read-body.ts';
import { refuseBody } from './refuse-body.ts';

export const batchPath = '/ingest/v1/batch';

export interface BatchOptions extends BodyLimits {
  /** Of one item: what a single body may have. */
  readonly maxItemBytes: number;
  /** How each batch ended, for the metrics. */
  readonly onItems: (accepted: number, rejected: number) => void;
}

interface Outcome {
  /** Undefined: accepted. */
  readonly reason?: BatchReason;
  readonly retryAfterSeconds?: number | undefined;
}

const accepted: Outcome = {};

/** `POST /ingest/v1/batch`: up to 100 messages, each with an outcome of its own. */
export function createBatchRoute(intake: Intake, options: BatchOptions) {
  return async (request: Request): Promise<Response> => {
    const body = await readBody(request, options);
    if (typeof body === 'string') return refuseBody(request, body, 'invalid_json');
    const items = readBatch(body);
    if (typeof items === 'string') return refuse(request, items);
    const messages = items.map((item) => readItem(item, options.maxItemBytes));
    const results = await Promise.all(
      messages.map((message) => (typeof message === 'string' ? message : intake.accept(message))),
    );
    return answer(request, results.map(outcomeOf), options);
  };
}

function outcomeOf(result: IntakeResult | BatchReason): Outcome {
  if (typeof result === 'string') return { reason: result };
  if (result.ok) return accepted;
  return { reason: reasonFor(result), retryAfterSeconds: result.retryAfterSeconds };
}

function answer(request: Request, outcomes: readonly Outcome[], { onItems }: BatchOptions): Response {
  const rejected = outcomes.filter(({ reason }) => reason !== undefined);
  const acceptedCount = outcomes.length - rejected.length;
  onItems(acceptedCount, rejected.length);
  const failed = rejected.filter(({ reason }) => reason === 'publish_failed');
  if (acceptedCount === 0 && failed.length > 0) {
    // So that the client keeps the whole batch and sends it again.
    const waits = failed.map(({ retryAfterSeconds }) => retryAfterSeconds ?? longestRetryAfterSeconds);
    return refuse(request, 'unavailable', { retryAfterSeconds: Math.max(...waits) });
  }
  const results = outcomes.map(({ reason }, index) =>
    reason === undefined ? { index, status: 'accepted' } : { index, status: 'rejected', reason },
  );
  return Response.json({ accepted: acceptedCount, rejected: rejected.length, results });
}
