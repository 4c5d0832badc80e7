import type { RoomLimits } from './room.ts';
import type { ConsumerInfo, StreamInfo } from './stream-info.ts';

export interface Backlog {
  readonly streamMessages: number;
  readonly streamBytes: number;
  readonly streamMaxBytes: number;
  /** -1: no limit. */
  readonly maxPerTenant: number;
  /** Not delivered yet. */
  readonly pending: number;
  /** Delivered, not acknowledged yet. */
  readonly ackPending: number;
  /** How fast messages leave the stream, smoothed over a few samples. */
  readonly drainedPerSecond: number;
  /** When the oldest message was stored, in ms since the epoch; undefined: there is none. */
  readonly oldestAtMs?: number | undefined;
}

/** How much of the smoothed rate is left after a second of another. */
const keptPerSecond = 0.7;

export interface Sample {
  readonly atMs: number;
  readonly created: string;
  /** How many messages have left the stream since it was made. */
  readonly removed: number;
  readonly backlog: Backlog;
}

/** The rate comes from what left between two samples; a recreated stream starts afresh. */
export function nextSample(
  before: Sample | undefined,
  stream: StreamInfo,
  consumer: ConsumerInfo,
  atMs: number,
  limits?: RoomLimits,
): Sample {
  const removed = stream.state.lastSeq - stream.state.messages;
  const comparable = before !== undefined && before.created === stream.created && atMs > before.atMs;
  const elapsedMs = comparable ? atMs - before.atMs : 0;
  const rate = comparable ? Math.max(0, ((removed - before.removed) * 1_000) / elapsedMs) : 0;
  const smoothed = comparable ? smooth(before.backlog.drainedPerSecond, rate, elapsedMs) : rate;
  return {
    atMs,
    created: stream.created,
    removed,
    backlog: {
      streamMessages: stream.state.messages,
      streamBytes: stream.state.bytes,
      streamMaxBytes: limits?.maxBytes ?? stream.maxBytes,
      maxPerTenant: limits?.maxPerTenant ?? stream.maxPerSubject,
      pending: consumer.pending,
      ackPending: consumer.ackPending,
      drainedPerSecond: smoothed,
      oldestAtMs: stream.state.firstAtMs,
    },
  };
}

/** Below one message in ten seconds nothing drains worth waiting for. */
function smooth(before: number, now: number, elapsedMs: number): number {
  const kept = keptPerSecond ** (elapsedMs / 1_000);
  const rate = before === 0 ? now : now + kept * (before - now);
  return rate < 0.1 ? 0 : rate;
}
