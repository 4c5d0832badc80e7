import { STATUS_CODES } from 'node:http';

/** What the API refuses with, in one table. A program tells them apart by `type`: `urn:tributary:problem:not-found`. */
export const problems = {
  invalid_input: { status: 400, detail: 'The request is not as the operation wants it' },
  unauthorized: { status: 401, detail: 'A valid key is needed: Authorization: Bearer …' },
  forbidden: { status: 403, detail: 'The key may not do this' },
  cross_site: {
    status: 403,
    detail: 'The change did not come from the console’s own page: send X-CSRF-Token',
  },
  /** Alike for what does not exist and what belongs to another tenant. */
  not_found: { status: 404, detail: 'Not found' },
  method_not_allowed: { status: 405, detail: 'Method not allowed' },
  conflict: { status: 409, detail: 'It is there already' },
  too_large: { status: 413, detail: 'Body too large' },
  unsupported_media_type: { status: 415, detail: 'Unsupported Content-Type' },
  too_many_requests: { status: 429, detail: 'Too many requests' },
  /** A bug of ours: nothing that a client sends may lead here. */
  internal: { status: 500, detail: 'Internal error' },
  unavailable: { status: 503, detail: 'PostgreSQL or NATS is away' },
} as const;

export type ProblemCode = keyof typeof problems;

export interface ProblemOptions {
  /** Whole seconds. */
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the answer, for programs. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Thrown anywhere under an operation; answered as problem details. `message` is the detail. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly options: ProblemOptions;

  constructor(code: ProblemCode, detail: string = problems[code].detail, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.options = options;
  }
}

export const notFound = () => new Problem('not_found');

/** What a person wrote is wrong; the detail names the field, its value and what is wanted. */
export const invalidInput = (detail: string) => new Problem('invalid_input', detail);

/** RFC 9457: `application/problem+json` with type, title, status and detail. */
export function problemResponse({ code, message, options }: Problem): Response {
  const { status } = problems[code];
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json', ...options.headers };
  if (options.retryAfterSeconds !== undefined) headers['Retry-After'] = String(options.retryAfterSeconds);
  if (code === 'unauthorized') headers['WWW-Authenticate'] = 'Bearer realm="tributary"';
  const title = STATUS_CODES[status] ?? '';
  const body = { type: problemType(code), title, status, detail: message, ...options.members };
  return new Response(JSON.stringify(body), { status, headers });
}

function problemType(code: ProblemCode): string {
  return `urn:tributary:problem:${code.replaceAll('_', '-')}`;
}
