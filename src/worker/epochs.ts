import type { Pool } from 'pg';
import { openEpoch, type StreamEpoch } from '../store/statements/open-epoch.ts';
import { openNextEpoch } from '../store/statements/open-next-epoch.ts';
import type { PulledMessage } from '../stream/puller.ts';

/** What tells a message's epoch. */
export type EpochKey = Pick<PulledMessage, 'streamCreated' | 'seq' | 'timestampNs'>;

/** At once where the epoch is known, as it nearly always is. */
export type EpochOf = (message: EpochKey) => number | Promise<number>;

/**
 * Which incarnation of the stream a message belongs to. One that is deleted and made anew has another creation time.
 * One that is restored from an older copy keeps it, and gives old numbers to new messages: those have an epoch that
 * begins with the first number that was given again.
 */
export interface Epochs {
  /** Throws what the database throws while an epoch is new. */
  readonly of: EpochOf;
  /** These messages were not of the epoch they were taken for: finds, or opens, the one that follows. */
  corrected(wrongEpoch: number, messages: readonly EpochKey[]): Promise<void>;
}

export function createEpochs(pool: Pool, stream: string): Epochs {
  const known = new Map<string, StreamEpoch[]>();
  const load = async (created: string) => {
    const epochs = await openEpoch(pool, stream, created);
    known.set(created, epochs);
    return epochs;
  };
  return {
    of(message) {
      const epochs = known.get(message.streamCreated);
      if (epochs !== undefined) return epochFor(message, epochs);
      return load(message.streamCreated).then((loaded) => epochFor(message, loaded));
    },
    async corrected(wrongEpoch, messages) {
      const [first] = messages;
      if (first === undefined) return;
      const created = first.streamCreated;
      const epochs = await load(created);
      const open = messages.filter((message) => epochFor(message, epochs) === wrongEpoch);
      if (open.length > 0) {
        await openNextEpoch(pool, { stream, created, after: wrongEpoch, ...earliest(open) });
        await load(created);
      }
    },
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

function earliest(messages: readonly EpochKey[]): { firstSeq: number; firstTimestampNs: bigint } {
  const [oldest] = messages.toSorted((a, b) => Number(a.timestampNs - b.timestampNs));
  return {
    firstSeq: Math.min(...messages.map(({ seq }) => seq)),
    firstTimestampNs: oldest?.timestampNs ?? 0n,
  };
}
