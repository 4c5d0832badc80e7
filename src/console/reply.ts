import { toJson } from '../lib/to-json.ts';

export interface Reply {
  readonly status: number;
  /** JSON; bigints and `JsonText` come out exactly. Absent: no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok = (body: unknown): Reply => ({ status: 200, body });
export const created = (body: unknown): Reply => ({ status: 201, body });
export const accepted = (body: unknown): Reply => ({ status: 202, body });
export const noContent = (): Reply => ({ status: 204 });

export function replyResponse({ status, body, headers }: Reply): Response {
  if (body === undefined)
    return new Response(null, { status, ...(headers === undefined ? {} : { headers }) });
  return new Response(toJson(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
}
