import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { type RoomLimits, StreamRoom } from './room.ts';
import {
  type ConsumerInfo,
  consumerInfo,
  type StreamInfo,
  streamInfo,
  subjectCounts,
} from './stream-info.ts';

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

export interface BacklogMonitorOptions {
  readonly nc: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  readonly intervalMs?: number;
  /** The configured limits; absent: the server's own, and `take` refuses nothing. */
  readonly limits?: RoomLimits;
  readonly log: Logger;
  /** Monotonic, in ms. */
  readonly clock?: () => number;
}

export interface BacklogMonitor {
  /** The latest sample; undefined before the first one, and once it is too old to say anything. */
  current(): Backlog | undefined;
  /** `created` of the stream, as last seen; undefined before the first look. */
  streamCreated(): string | undefined;
  /** Counts a message that is about to be published, or says why the stream has no room for it. */
  take(subject: string, bytes: number): 'stream_full' | 'tenant_full' | undefined;
  /** Samples now; resolves when that is done, whether it succeeded or not. */
  look(): Promise<void>;
  drain(): Promise<void>;
}

export const backlogDefaults = {
  intervalMs: 1_000,
  staleAfterIntervals: 10,
  /** After a look that found no room and refused somebody, the next one follows so soon. */
  earlyAfterMs: 100,
  /** Looks that are slow, as at a server that is busy, are followed by so many times their own duration. */
  earlyRest: 5,
  /** With more subjects than this, they are counted only where one of them could be at its limit. */
  subjectsAlwaysCounted: 1_000,
} as const;

/** How much of the smoothed rate is left after a second of another. */
const keptPerSecond = 0.7;

export function startBacklogMonitor(options: BacklogMonitorOptions): BacklogMonitor {
  const { nc, stream, consumer, log } = options;
  const intervalMs = options.intervalMs ?? backlogDefaults.intervalMs;
  const clock = options.clock ?? (() => performance.now());
  let last: Sample | undefined;
  let looking: Promise<void> | undefined;
  let earliestMs = 0;
  let early: Timer | undefined;
  const room = options.limits === undefined ? undefined : new StreamRoom(options.limits);
  const sample = async () => {
    const startedMs = clock();
    room?.lookBegins();
    try {
      const [streamNow, consumerNow] = await Promise.all([
        streamInfo(nc, stream),
        consumerInfo(nc, stream, consumer),
      ]);
      last = nextSample(last, streamNow, consumerNow, clock(), options.limits);
      room?.lookEnds({
        bytes: streamNow.state.bytes,
        perSubject: await countSubjects(options, streamNow),
      });
    } catch (error) {
      room?.lookFailed();
      // The outage itself is reported by the connection, a missing stream by whoever publishes or pulls.
      log.debug({ error: String(error) }, 'could not sample the backlog');
    }
    const endedMs = clock();
    const { earlyAfterMs, earlyRest } = backlogDefaults;
    earliestMs = endedMs + Math.max(earlyAfterMs, (endedMs - startedMs) * earlyRest);
  };
  const look = (): Promise<void> => {
    looking ??= sample().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  /** Whom this door refuses comes back when it has room again, so that is not left to the next regular look. */
  const lookEarly = () => {
    if (early !== undefined || looking !== undefined) return;
    early = setTimeout(
      () => {
        early = undefined;
        void look();
      },
      Math.max(0, earliestMs - clock()),
    );
  };
  void look();
  const timer = setInterval(look, intervalMs);
  return {
    current() {
      if (last === undefined) return undefined;
      const ageMs = clock() - last.atMs;
      return ageMs > intervalMs * backlogDefaults.staleAfterIntervals ? undefined : last.backlog;
    },
    streamCreated: () => last?.created,
    take: (subject, bytes) => {
      const full = room?.take(subject, bytes);
      if (full !== undefined) lookEarly();
      return full;
    },
    // One that began before the stream was there tells nothing.
    look: async () => {
      await looking;
      await look();
    },
    drain() {
      clearInterval(timer);
      clearTimeout(early);
      // A sample under way owes nobody anything; while NATS is away it would hold up the stop for seconds.
      return Promise.resolve();
    },
  };
}

async function countSubjects(
  { nc, stream, limits }: BacklogMonitorOptions,
  { state }: StreamInfo,
): Promise<ReadonlyMap<string, number> | undefined> {
  if (limits === undefined || state.messages === 0) return undefined;
  const mayBeFull = state.messages >= limits.maxPerTenant / 2;
  if (state.subjects > backlogDefaults.subjectsAlwaysCounted && !mayBeFull) return undefined;
  return subjectCounts(nc, stream);
}

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
