import type { NatsConnection } from '@nats-io/nats-core';

/** JetStream said no. `errCode` is the number of its documented error list. */
export class JetStreamApiError extends Error {
  override readonly name = 'JetStreamApiError';
  readonly code: number;
  readonly errCode: number;

  constructor(subject: string, code: number, errCode: number, description: string) {
    super(`JetStream refused ${subject}: ${description} (${errCode})`);
    this.code = code;
    this.errCode = errCode;
  }
}

export const apiErrCode = {
  consumerNotFound: 10_014,
  streamNotFound: 10_059,
  streamNameInUse: 10_058,
  insufficientStorage: 10_047,
  insufficientResources: 10_023,
  replicasNotSupported: 10_074,
} as const;

export function isApiError(error: unknown, errCode: number): boolean {
  return error instanceof JetStreamApiError && error.errCode === errCode;
}

const apiTimeoutMs = 5_000;

/**
 * One request to JetStream's API; `name` is what follows `$JS.API.`. Resolves to the answer's fields.
 *
 * @throws JetStreamApiError when JetStream refuses; the client's own errors when nobody answers in time
 */
export async function requestApi(
  nc: NatsConnection,
  name: string,
  body?: Readonly<Record<string, unknown>>,
): Promise<JsonObject> {
  const subject = `$JS.API.${name}`;
  const reply = await nc.request(subject, body === undefined ? '' : JSON.stringify(body), {
    timeout: apiTimeoutMs,
  });
  const answer = objectOf(reply.json<unknown>());
  if (answer.error !== undefined) {
    const error = objectOf(answer.error);
    throw new JetStreamApiError(
      name,
      numberOf(error.code),
      numberOf(error.err_code),
      stringOf(error.description),
    );
  }
  return answer;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Readers of an answer's fields: what is absent or of another type counts as empty. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

export function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
