import type { Pool } from 'pg';
import { openEpoch } from '../store/statements/open-epoch.ts';

/**
 * Which incarnation of the stream a message belongs to, by the stream's creation time: one that is deleted and
 * made anew starts at sequence 1 again. Throws what the database throws while an epoch is new.
 */
export type EpochOf = (streamCreated: string) => Promise<number>;

export function createEpochs(pool: Pool, stream: string): EpochOf {
  const known = new Map<string, number>();
  return async (streamCreated) => {
    const epoch = known.get(streamCreated) ?? (await openEpoch(pool, stream, streamCreated));
    known.set(streamCreated, epoch);
    return epoch;
  };
}
