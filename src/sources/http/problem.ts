import { STATUS_CODES } from 'node:http';
import { type RefusalCode, refusals } from '../../model/errors.ts';

/** Largest body of a refused request that is read and thrown away, so that its sender sees the answer. */
const maxDiscardedBytes = 4 * 1024 * 1024;

/** Retry-After where nobody can say when it will be better. */
export const longestRetryAfterSeconds = 60;

export interface ProblemOptions {
  /** Instead of the table's text. */
  readonly detail?: string | undefined;
  /** Whole seconds. */
  readonly retryAfterSeconds?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal as problem details (RFC 9457): type, title, status and detail, as `application/problem+json`. */
export function problem(code: RefusalCode, options: ProblemOptions = {}): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json', ...options.headers };
  if (options.retryAfterSeconds !== undefined) headers['Retry-After'] = String(options.retryAfterSeconds);
  return new Response(problemText(code, options.detail), { status: refusals[code].status, headers });
}

export function problemText(code: RefusalCode, detail: string = refusals[code].detail): string {
  const { status } = refusals[code];
  return JSON.stringify({ type: problemType(code), title: STATUS_CODES[status] ?? '', status, detail });
}

/** `missing_token` → `urn:tributary:problem:missing-token`: what a program tells refusals apart by. */
export function problemType(code: RefusalCode): string {
  return `urn:tributary:problem:${code.replaceAll('_', '-')}`;
}

/** A refusal of a request whose body may still be on its way: what is too long to be thrown away ends the connection. */
export function refuse(request: Request, code: RefusalCode, options: ProblemOptions = {}): Response {
  if (!mustClose(request, code)) return problem(code, options);
  return problem(code, { ...options, headers: { ...options.headers, Connection: 'close' } });
}

function mustClose({ headers }: Request, code: RefusalCode): boolean {
  if (code === 'request_timeout') return true;
  const contentLength = headers.get('Content-Length');
  if (contentLength !== null) return Number(contentLength) > maxDiscardedBytes;
  // A chunked body has no end in sight.
  return headers.has('Transfer-Encoding');
}
