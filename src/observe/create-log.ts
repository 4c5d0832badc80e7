import pino, { type DestinationStream, type Logger } from 'pino';
import { redactUrls } from '../lib/redact-url.ts';

export interface LogOptions {
  readonly level: string;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

/** A log of JSON lines. Of an error it keeps the words only, and no password in them. */
export function createLog({ level, destination }: LogOptions): Logger {
  const options = { level, serializers: { err: describeError } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: DescribedError;
}

/** Drivers hang their whole state on errors, PostgreSQL's even the secret that cancels a connection's queries. */
function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: redactUrls(String(error)) };
  return {
    type: error.name,
    message: redactUrls(error.message),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: redactUrls(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}
