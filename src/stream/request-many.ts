import { type NatsConnection, NoRespondersError } from '@nats-io/nats-core';

export interface RequestManyOptions {
  /** Answers that come later than this are not waited for. */
  readonly timeoutMs: number;
  /** After an answer, how long to wait for the next one. */
  readonly stallMs: number;
}

/** Asks everybody who listens to `subject`; resolves to the answers that came, none when nobody listens. */
export async function requestMany(
  nc: NatsConnection,
  subject: string,
  data: Uint8Array | string,
  options: RequestManyOptions,
): Promise<Uint8Array[]> {
  const answers: Uint8Array[] = [];
  try {
    const replies = await nc.requestMany(subject, data, {
      strategy: 'stall',
      maxWait: options.timeoutMs,
      stall: options.stallMs,
    });
    for await (const reply of replies) answers.push(reply.data);
  } catch (error) {
    if (!(error instanceof NoRespondersError)) throw error;
  }
  return answers;
}
