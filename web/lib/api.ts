import { parseExact } from './exact.ts';
import { csrfToken, endSession } from './session.ts';

/** A problem detail of the API (RFC 9457), or what came instead of one. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly retryAfterSeconds: number | undefined,
    /** Of a text with a fault in it: where, from 0. */
    readonly position?: number,
  ) {
    super(detail === '' ? title : detail);
  }

  /** What the reader can do about it, where the answer does not say. */
  get remedy(): string {
    if (this.position !== undefined) return `The fault is at character ${this.position + 1}.`;
    if (this.status === 0) return 'Check that the console is running and that this machine reaches it.';
    if (this.status === 403) return 'Sign in with a key of a higher level.';
    if (this.status === 404) return 'It may have been deleted, or belong to another tenant.';
    if (this.status === 429) return `Wait ${this.retryAfterSeconds ?? 1} s and try again.`;
    if (this.status === 503)
      return 'The database or NATS is away. Nothing accepted is lost; try again shortly.';
    if (this.status >= 500) return 'The log of the console role says more.';
    return '';
  }
}

export interface CallOptions {
  readonly body?: unknown;
  /** In place of a JSON body. */
  readonly csv?: Blob;
  readonly signal?: AbortSignal;
  /** Keeps numbers that a double cannot hold as they were sent. */
  readonly exact?: boolean;
}

const base = '/api/v1';

/** Each segment is encoded: ids may hold colons and dots. */
export function apiPath(...segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

export function apiUrl(path: string, query: Query = {}): string {
  return `${base}${path}${queryString(query)}`;
}

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === '') continue;
    for (const each of Array.isArray(value) ? value : [value]) params.append(name, String(each));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

export const get = <T>(path: string, query: Query = {}, options: CallOptions = {}): Promise<T> =>
  call<T>('GET', path + queryString(query), options);

/** @throws ApiError */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  const text = await response.text();
  if (response.status === 401 && path !== '/session') endSession('Your session has ended. Sign in again.');
  if (!response.ok) throw toError(response, text);
  if (text === '') return undefined as T;
  return (options.exact === true ? parseExact(text) : JSON.parse(text)) as T;
}

async function send(method: string, path: string, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-csrf-token'] = csrfToken();
  if (options.csv !== undefined) headers['content-type'] = 'text/csv';
  else if (options.body !== undefined) headers['content-type'] = 'application/json';
  try {
    return await fetch(base + path, {
      method,
      headers,
      body: options.csv ?? (options.body === undefined ? null : JSON.stringify(options.body)),
      signal: options.signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'No answer', 'The console did not answer.', undefined);
  }
}

function toError(response: Response, text: string): ApiError {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const seconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  try {
    const { title, detail, position } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const place = typeof position === 'number' ? ([position] as const) : ([] as const);
    return new ApiError(
      response.status,
      textOf(title, response.statusText),
      textOf(detail, ''),
      seconds,
      ...place,
    );
  } catch {
    return new ApiError(response.status, response.statusText || `Status ${response.status}`, '', seconds);
  }
}

const textOf = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(-1, 'Unexpected', error instanceof Error ? error.message : String(error), undefined);
}
