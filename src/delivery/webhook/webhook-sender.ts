import type { WebhookDestination } from '../../model/route-destination.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import { type AddressGuard, isAddressRefused } from '../address/guarded-lookup.ts';
import { describeError, type Outcome, printable } from '../outcome.ts';
import type { Parcel } from '../parcel.ts';
import { placeOf } from '../place.ts';
import { renderWebhookBody } from '../render.ts';
import { parseRetryAfter } from '../retry-after.ts';
import type { Sender } from '../sender.ts';
import { type Answer, isSuccess, sendRequest } from './send-request.ts';
import { signatureHeaders } from './sign.ts';

export interface WebhookOptions {
  readonly destination: WebhookDestination;
  readonly secrets: RouteSecrets;
  readonly guard: AddressGuard;
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** @throws TypeError for an address that is none */
export function createWebhookSender(options: WebhookOptions): Sender {
  const { destination, guard, timeoutMs, wallClock } = options;
  const url = new URL(destination.url);
  const method = destination.method ?? 'POST';
  return {
    destination: placeOf(destination),
    async send(parcel) {
      const body = Buffer.from(renderWebhookBody(parcel.jobs, parcel.isBatch));
      try {
        const headers = headersOf(parcel, body, options);
        const answer = await sendRequest({ url, method, headers, body, timeoutMs, guard });
        return judgeAnswer(answer, wallClock());
      } catch (error) {
        return judgeError(error);
      }
    },
  };
}

/** What `tributary route test` shows, and what is sent. @throws TypeError for a signing secret that is none */
export function headersOf(
  { id }: Pick<Parcel, 'id'>,
  body: Uint8Array,
  { destination, secrets, userAgent, wallClock }: Omit<WebhookOptions, 'guard' | 'timeoutMs'>,
): Record<string, string> {
  const timestamp = Math.floor(wallClock() / 1_000);
  return {
    'user-agent': userAgent,
    ...destination.headers,
    ...secrets.headers,
    'content-type': 'application/json',
    ...signatureHeaders({ id, timestamp, body }, secrets.signing_secrets ?? []),
  };
}

/** 4xx that pass: the request came at the wrong time, and would be taken at another. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

/** @param nowMs since the epoch */
export function judgeAnswer({ status, retryAfter, body }: Answer, nowMs: number): Outcome {
  if (isSuccess(status)) return { kind: 'delivered' };
  const start = printable(body.slice(0, 200));
  const detail = `answered ${status}${start === '' ? '' : `: ${start}`}`;
  if (status === 410) return { kind: 'gone', detail };
  if (status >= 400 && status < 500 && !passing.has(status)) {
    return { kind: 'dead', reason: 'REFUSED', detail };
  }
  const retryAfterMs = parseRetryAfter(retryAfter, nowMs);
  return {
    kind: 'retry',
    error: detail,
    unwell: status >= 500,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function judgeError(error: unknown): Outcome {
  const detail = describeError(error);
  // The reason names the code already.
  if (isAddressRefused(error))
    return { kind: 'dead', reason: 'ADDRESS_REFUSED', detail: printable(error.message) };
  // Only our own code throws these: a URL or a secret that cannot be used.
  if (error instanceof TypeError) return { kind: 'dead', reason: 'UNDELIVERABLE', detail };
  return { kind: 'retry', error: detail, unwell: true };
}
