import type { NatsConnection } from '@nats-io/nats-core';
import { countOf, type SequenceRange, without } from '../model/sequence-ranges.ts';
import { numberOf, objectOf, requestApi, stringOf } from './jetstream-api.ts';
import { orMissing } from './stream-info.ts';

/** Which sequences a stream has assigned and which of them it still holds, all at one instant. */
export interface StreamSequences {
  readonly created: string;
  /** The last sequence assigned. */
  readonly lastSeq: number;
  /** What the stream holds, in order. Where `unlisted` is not 0, some of these are gone too. */
  readonly present: readonly SequenceRange[];
  /** How many of `present` the stream does not hold: it counts them, but does not say which. */
  readonly unlisted: number;
}

/**
 * The stream's sequences; undefined when there is no such stream.
 *
 * Servers as old as 2.9 leave out of the list what lies between two of their files, such as a file whose messages are
 * all deleted. The counts tell that it happened.
 */
export async function streamSequences(
  nc: NatsConnection,
  stream: string,
): Promise<StreamSequences | undefined> {
  const answer = await orMissing(requestApi(nc, `STREAM.INFO.${stream}`, { deleted_details: true }));
  if (answer === undefined) return undefined;
  const state = objectOf(answer.state);
  const lastSeq = numberOf(state.last_seq);
  const messages = numberOf(state.messages);
  const deleted = Array.isArray(state.deleted) ? state.deleted.map(numberOf) : [];
  // An empty stream's first sequence is the one that comes next.
  const from = messages === 0 ? lastSeq + 1 : numberOf(state.first_seq);
  const present = without({ from, to: lastSeq + 1 }, deleted);
  return {
    created: stringOf(answer.created),
    lastSeq,
    present,
    unlisted: countOf(present) - messages,
  };
}
