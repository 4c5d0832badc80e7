import { problem } from './problem.ts';
import { fateAsJson, type ReceiptsOptions, type receiptsPath } from './receipts.ts';
import { tokenOf } from './token.ts';

export type ReceiptRequest = Bun.BunRequest<typeof receiptsPath>;

/** A receipt is asked for again after a moment; so is a database that is away. */
const queuedRetrySeconds = 1;
const awayRetrySeconds = 5;

/** `GET /ingest/v1/receipts/{id}`: what became of a message, told to who knows the token it was sent with. */
export function createReceiptsRoute(options: ReceiptsOptions, wallClock: () => number) {
  const { book, find, deliveries, retentionMs } = options;
  return async (request: ReceiptRequest): Promise<Response> => {
    const token = tokenOf(request.headers);
    if (token === undefined) {
      return problem('missing_token', { headers: { 'WWW-Authenticate': 'X-Provision-Token' } });
    }
    const receipt = book?.read(request.params.receipt_id, token);
    if (receipt === undefined) return problem('receipt_not_found');
    // By event time, too: that is what goes with retention.
    const oldestMs = Math.min(receipt.arrivedAtMs, (receipt.timeUs ?? Number.POSITIVE_INFINITY) / 1_000);
    if (oldestMs < wallClock() - retentionMs) return problem('receipt_expired');
    try {
      const [fate] = await find([receipt]);
      if (fate === undefined || fate.status === 'forgotten') return problem('receipt_expired');
      const more = fate.status === 'stored' ? { deliveries: await deliveries(receipt) } : {};
      const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
      if (fate.status === 'queued') headers['Retry-After'] = String(queuedRetrySeconds);
      const arrivedAt = new Date(receipt.arrivedAtMs).toISOString();
      return Response.json({ ...fateAsJson(fate), arrived_at: arrivedAt, ...more }, { headers });
    } catch {
      return problem('receipts_unavailable', { retryAfterSeconds: awayRetrySeconds });
    }
  };
}
