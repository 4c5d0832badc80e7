import type { SharedDeadline } from '../../lib/shared-deadline.ts';
import { inflate } from './inflate.ts';
import type { ReceiveBudget } from './receive-budget.ts';

export interface BodyLimits {
  /** Of the body as sent, and of what it inflates to. */
  readonly maxBytes: number;
  /** For the whole body; shared by all requests. */
  readonly deadline: SharedDeadline;
  /** Shared by all requests. */
  readonly budget: ReceiveBudget;
}

export type BodyFault =
  | 'too_large'
  | 'unsupported_encoding'
  | 'request_timeout'
  /** Too much is on its way in already. */
  | 'overloaded'
  /** Not what its Content-Encoding says. */
  | 'corrupt';

const empty = new Uint8Array(0);

/**
 * The whole body of a request, inflated. A Content-Length beyond the limit is refused before anything is read.
 * Never throws: a client that went away reads as `request_timeout`, which nobody will see.
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array | BodyFault> {
  const contentLength = request.headers.get('Content-Length');
  if (contentLength !== null && Number(contentLength) > limits.maxBytes) return 'too_large';
  const encoding = request.headers.get('Content-Encoding');
  if (encoding !== null && !isKnownEncoding(encoding)) return 'unsupported_encoding';
  const announced = contentLength === null ? limits.maxBytes : Number(contentLength);
  if (!limits.budget.take(announced)) return 'overloaded';
  const received =
    contentLength === null
      ? await receiveUnannounced(request, limits)
      : await limits.deadline.race(request.bytes());
  limits.budget.give(announced);
  if (received === undefined) return 'request_timeout';
  if (typeof received === 'string' || encoding === null) return received;
  return inflate(received, encoding.toLowerCase(), limits.maxBytes);
}

/** What the door takes, as `Accept-Encoding` of a 415 (RFC 9110, section 12.5.3). */
export const acceptedEncodings = 'gzip, deflate, identity';

function isKnownEncoding(encoding: string): boolean {
  return /^(?:gzip|x-gzip|deflate|identity)$/i.test(encoding);
}

type BodyReader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>;

/** A chunked body is counted while it comes in; `bytes()` would hold whatever is sent. */
async function receiveUnannounced(
  request: Request,
  { maxBytes, deadline }: BodyLimits,
): Promise<Uint8Array | 'too_large' | undefined> {
  if (request.body === null) return empty;
  const reader: BodyReader = request.body.getReader();
  const outcome = await deadline.race(collect(reader, maxBytes));
  if (outcome === undefined || outcome === 'too_large') reader.cancel().catch(() => undefined);
  return outcome;
}

async function collect(reader: BodyReader, maxBytes: number): Promise<Uint8Array | 'too_large'> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, length);
    length += value.length;
    if (length > maxBytes) return 'too_large';
    chunks.push(value);
  }
}
