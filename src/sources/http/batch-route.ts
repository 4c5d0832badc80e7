import type { IncomingMessage, Intake } from '../../intake/intake.ts';
import type { SettledFate } from '../../intake/settled-waits.ts';
import type { BatchReason } from '../../model/errors.ts';
import { traceparentHeader } from '../../model/trace-context.ts';
import type { Tracer } from '../../observe/tracer.ts';
import { readBatch } from './batch-body.ts';
import { readItem, reasonFor } from './batch-item.ts';
import { waitSecondsOf } from './prefer.ts';
import { longestRetryAfterSeconds, refuse } from './problem.ts';
import { type BodyLimits, readBody } from './read-body.ts';
import { awaitFate, fateAsJson, grantWait, issueReceipt, type ReceiptsOptions } from './receipts.ts';
import { refuseBody } from './refuse-body.ts';

export const batchPath = '/ingest/v1/batch';

export interface BatchOptions extends BodyLimits {
  /** Of one item: what a single body may have. */
  readonly maxItemBytes: number;
  /** How each batch ended, for the metrics. */
  readonly onItems: (accepted: number, rejected: number) => void;
  readonly receipts: ReceiptsOptions;
  /** Lets a request take so many seconds more. */
  readonly extend: (request: Request, seconds: number) => void;
  /** Absent: nothing is traced. Each item has a span of its own under the request's context. */
  readonly tracing?: Pick<Tracer, 'begin'> | undefined;
}

interface Outcome {
  /** Undefined: accepted. */
  readonly reason?: BatchReason;
  readonly retryAfterSeconds?: number | undefined;
  readonly receipt?: string | undefined;
  /** Of an item that was waited for. */
  readonly fate?: SettledFate | undefined;
  readonly waited?: boolean;
}

/** `POST /ingest/v1/batch`: up to 100 messages, each with an outcome of its own. */
export function createBatchRoute(intake: Intake, options: BatchOptions) {
  return async (request: Request): Promise<Response> => {
    const body = await readBody(request, options);
    if (typeof body === 'string') return refuseBody(request, body, 'invalid_json');
    const items = readBatch(body);
    if (typeof items === 'string') return refuse(request, items);
    const messages = items.map((item) => readItem(item, options.maxItemBytes));
    const seconds = waitSecondsOf(request.headers);
    const traceparent = options.tracing === undefined ? null : request.headers.get(traceparentHeader);
    if (seconds !== undefined) options.extend(request, seconds);
    const outcomes = await Promise.all(
      messages.map((message) =>
        typeof message === 'string'
          ? { reason: message }
          : take(intake, message, { ...options, seconds, traceparent, gone: request.signal }),
      ),
    );
    return answer(request, outcomes, options, seconds);
  };
}

interface TakeOptions extends Pick<BatchOptions, 'receipts' | 'tracing'> {
  readonly traceparent: string | null;
  readonly seconds: number | undefined;
  readonly gone: AbortSignal;
}

async function take(
  intake: Intake,
  item: IncomingMessage,
  { receipts, seconds, gone, tracing, traceparent }: TakeOptions,
): Promise<Outcome> {
  const granted = grantWait(receipts, seconds);
  const trace = tracing?.begin(traceparent);
  const settledTo = granted?.wait.settledTo;
  const message = settledTo === undefined && trace === undefined ? item : { ...item, settledTo, trace };
  const result = await intake.accept(message);
  if (!result.ok) {
    granted?.wait.close();
    return { reason: reasonFor(result), retryAfterSeconds: result.retryAfterSeconds };
  }
  const receipt = issueReceipt(receipts, message, result);
  if (granted === undefined) return { receipt };
  const fate = await awaitFate(receipts, granted, message, result, gone);
  return { receipt, fate, waited: true };
}

function answer(
  request: Request,
  outcomes: readonly Outcome[],
  { onItems }: BatchOptions,
  seconds: number | undefined,
): Response {
  const rejected = outcomes.filter(({ reason }) => reason !== undefined);
  const acceptedCount = outcomes.length - rejected.length;
  onItems(acceptedCount, rejected.length);
  const failed = rejected.filter(({ reason }) => reason === 'publish_failed');
  if (acceptedCount === 0 && failed.length > 0) {
    // So that the client keeps the whole batch and sends it again.
    const waits = failed.map(({ retryAfterSeconds }) => retryAfterSeconds ?? longestRetryAfterSeconds);
    return refuse(request, 'unavailable', { retryAfterSeconds: Math.max(...waits) });
  }
  const results = outcomes.map(resultOf);
  // Only where each item that was accepted could be waited for.
  const applied =
    seconds !== undefined && outcomes.every(({ reason, waited }) => reason !== undefined || waited);
  const init = applied ? { headers: { 'Preference-Applied': `wait=${seconds}` } } : {};
  return Response.json({ accepted: acceptedCount, rejected: rejected.length, results }, init);
}

function resultOf({ reason, receipt, fate, waited }: Outcome, index: number): Record<string, unknown> {
  if (reason !== undefined) return { index, status: 'rejected', reason };
  const outcome = waited ? { outcome: fateAsJson(fate ?? { status: 'queued' }) } : {};
  return { index, status: 'accepted', ...(receipt === undefined ? {} : { receipt }), ...outcome };
}
