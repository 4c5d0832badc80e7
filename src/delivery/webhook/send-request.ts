import http from 'node:http';
import https from 'node:https';
import type { AddressGuard } from '../address/guarded-lookup.ts';

export interface OutgoingRequest {
  readonly url: URL;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** From the first look-up to the end of the answer, however slowly it comes. */
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

class AnswerTimeoutError extends Error {
  override readonly name = 'AnswerTimeoutError';
}

/** A destination that goes on saying that it has not decided yet. */
class TooManyInterimAnswersError extends Error {
  override readonly name = 'TooManyInterimAnswersError';
}

/** Answers 1xx before the final one. */
const maxInterimAnswers = 16;
/** How long the body of a 2xx may take: nobody waits for it, and so nothing else bounds how many are read at once. */
const successBodyMs = 500;

/**
 * Sends one request on a connection of its own to an address that the guard let pass. Follows no redirect, takes no
 * compressed answer, and goes through no proxy. What counts is the status: of a 2xx it resolves before the body, and of
 * any other with what came of the body in time.
 *
 * @throws AddressRefusedError, AnswerTimeoutError, TooManyInterimAnswersError, or the socket's error
 */
export async function sendRequest(outgoing: OutgoingRequest): Promise<Answer> {
  const { url, guard, timeoutMs } = outgoing;
  guard.requireAllowed(url.hostname);
  return new Promise((resolve, reject) => {
    const request = open(outgoing);
    const give = (error: Error) => {
      clearTimeout(timer);
      request.destroy();
      reject(error);
    };
    let timeIsOver = () => give(new AnswerTimeoutError(`no answer within ${timeoutMs} ms`));
    const timer = setTimeout(() => timeIsOver(), timeoutMs);
    let interim = 0;
    request.on('information', () => {
      interim += 1;
      if (interim > maxInterimAnswers)
        give(new TooManyInterimAnswersError(`more than ${maxInterimAnswers} answers 1xx, and no final one`));
    });
    request.on('error', give);
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const retryAfter = response.headers['retry-after'];
      if (isSuccess(status)) resolve({ status, retryAfter, body: '' });
      const start = readStart(response);
      timeIsOver = start.finish;
      const enough = isSuccess(status) ? setTimeout(start.finish, successBodyMs) : undefined;
      void start.body.then((body) => {
        clearTimeout(timer);
        clearTimeout(enough);
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

interface Start {
  /** Never rejects: what comes after the status decides nothing. */
  readonly body: Promise<string>;
  /** What has come is enough. */
  readonly finish: () => void;
}

function readStart(response: http.IncomingMessage): Start {
  const chunks: Buffer[] = [];
  let length = 0;
  const body = Promise.withResolvers<string>();
  const finish = () => {
    response.destroy();
    body.resolve(Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8'));
  };
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxAnswerBytes) finish();
  });
  for (const event of ['end', 'error', 'close']) response.on(event, finish);
  return { body: body.promise, finish };
}
