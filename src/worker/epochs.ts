import type { Pool } from 'pg';
import { openEpoch, type StreamEpoch } from '../store/statements/open-epoch.ts';
import type { PulledMessage } from '../stream/puller.ts';

/** What tells a message's epoch. */
export type EpochKey = Pick<PulledMessage, 'streamCreated' | 'seq' | 'timestampNs'>;

/**
 * Which incarnation of the stream a message belongs to, by the stream's creation time: one that is deleted and
 * made anew starts at sequence 1 again. Throws what the database throws while an epoch is new.
 */
export type EpochOf = (message: EpochKey) => Promise<number>;

export function createEpochs(pool: Pool, stream: string): EpochOf {
  const known = new Map<string, StreamEpoch[]>();
  return async (message) => {
    const epochs = known.get(message.streamCreated) ?? (await openEpoch(pool, stream, message.streamCreated));
    known.set(message.streamCreated, epochs);
    return epochFor(message, epochs);
  };
}

/** The newest epoch whose messages this may be one of; the first one takes all. */
function epochFor({ seq, timestampNs }: EpochKey, epochs: readonly StreamEpoch[]): number {
  const own = epochs.find(
    ({ baseSeq, firstTimestampNs }) => seq > baseSeq && timestampNs >= firstTimestampNs,
  );
  const first = epochs.at(-1);
  if (first === undefined) throw new Error('a stream without an epoch');
  return (own ?? first).epoch;
}
