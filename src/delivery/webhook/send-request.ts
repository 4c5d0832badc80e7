import http from 'node:http';
import https from 'node:https';
import type { AddressGuard } from '../address/guarded-lookup.ts';

export interface OutgoingRequest {
  readonly url: URL;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** From the first look-up to the answer's status; as much again for what is read of its body. */
  readonly timeoutMs: number;
  readonly guard: AddressGuard;
  /** Further certificates to trust, PEM. */
  readonly ca?: string;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Of an answer that is not 2xx: its body as far as it was read. */
  readonly body: string;
}

/** What is read of an answer at most. */
export const maxAnswerBytes = 64 * 1024;

export class AnswerTimeoutError extends Error {
  override readonly name = 'AnswerTimeoutError';
}

/**
 * Sends one request on a connection of its own to an address that the guard let pass. Follows no redirect, takes no
 * compressed answer, and goes through no proxy. What counts is the status: of a 2xx it resolves before the body.
 *
 * @throws AddressRefusedError, AnswerTimeoutError, or the socket's error
 */
export async function sendRequest(outgoing: OutgoingRequest): Promise<Answer> {
  const { url, guard, timeoutMs } = outgoing;
  guard.requireAllowed(url.hostname);
  return new Promise((resolve, reject) => {
    const request = open(outgoing);
    const timer = setTimeout(() => {
      request.destroy();
      reject(new AnswerTimeoutError(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const retryAfter = response.headers['retry-after'];
      if (isSuccess(status)) resolve({ status, retryAfter, body: '' });
      void readStart(response, timeoutMs).then((body) => {
        clearTimeout(timer);
        request.destroy();
        resolve({ status, retryAfter, body });
      });
    });
    request.end(outgoing.body);
  });
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function open({ url, method, headers, body, guard, ca }: OutgoingRequest): http.ClientRequest {
  return (url.protocol === 'https:' ? https : http).request({
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { ...headers, 'content-length': body.length, 'accept-encoding': 'identity' },
    // A connection that is kept would skip the look-up.
    agent: false,
    lookup: guard.lookup,
    ...(ca === undefined ? {} : { ca }),
  });
}

/** Never rejects: what comes after the status decides nothing. */
function readStart(response: http.IncomingMessage, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = () => {
      clearTimeout(timer);
      response.destroy();
      resolve(Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8'));
    };
    const timer = setTimeout(finish, timeoutMs);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= maxAnswerBytes) finish();
    });
    response.on('end', finish);
    response.on('error', finish);
    response.on('close', finish);
  });
}
