import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { type ConsumerInfo, consumerInfo, type StreamInfo, streamInfo } from './stream-info.ts';

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
}

export interface BacklogMonitorOptions {
  readonly nc: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  readonly intervalMs?: number;
  readonly log: Logger;
  /** Monotonic, in ms. */
  readonly clock?: () => number;
}

export interface BacklogMonitor {
  /** The latest sample; undefined before the first one, and once it is too old to say anything. */
  current(): Backlog | undefined;
  drain(): Promise<void>;
}

export const backlogDefaults = { intervalMs: 1_000, staleAfterIntervals: 10 } as const;

/** How much the newest rate counts against the smoothed one. */
const smoothing = 0.3;

export function startBacklogMonitor(options: BacklogMonitorOptions): BacklogMonitor {
  const { nc, stream, consumer, log } = options;
  const intervalMs = options.intervalMs ?? backlogDefaults.intervalMs;
  const clock = options.clock ?? (() => performance.now());
  let last: Sample | undefined;
  let running = false;
  const sample = async () => {
    try {
      const [streamNow, consumerNow] = await Promise.all([
        streamInfo(nc, stream),
        consumerInfo(nc, stream, consumer),
      ]);
      last = nextSample(last, streamNow, consumerNow, clock());
    } catch (error) {
      // The outage itself is reported by the connection, a missing stream by whoever publishes or pulls.
      log.debug({ error: String(error) }, 'could not sample the backlog');
    }
  };
  const tick = () => {
    if (running) return;
    running = true;
    void sample().finally(() => {
      running = false;
    });
  };
  tick();
  const timer = setInterval(tick, intervalMs);
  return {
    current() {
      if (last === undefined) return undefined;
      const ageMs = clock() - last.atMs;
      return ageMs > intervalMs * backlogDefaults.staleAfterIntervals ? undefined : last.backlog;
    },
    drain() {
      clearInterval(timer);
      // A sample under way owes nobody anything; while NATS is away it would hold up the stop for seconds.
      return Promise.resolve();
    },
  };
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
): Sample {
  const removed = stream.state.lastSeq - stream.state.messages;
  const comparable = before !== undefined && before.created === stream.created && atMs > before.atMs;
  const rate = comparable ? Math.max(0, ((removed - before.removed) * 1_000) / (atMs - before.atMs)) : 0;
  const smoothed = comparable ? smooth(before.backlog.drainedPerSecond, rate) : rate;
  return {
    atMs,
    created: stream.created,
    removed,
    backlog: {
      streamMessages: stream.state.messages,
      streamBytes: stream.state.bytes,
      streamMaxBytes: stream.maxBytes,
      maxPerTenant: stream.maxPerSubject,
      pending: consumer.pending,
      ackPending: consumer.ackPending,
      drainedPerSecond: smoothed,
    },
  };
}

/** Below one message in ten seconds nothing drains worth waiting for. */
function smooth(before: number, now: number): number {
  const rate = before === 0 ? now : before + smoothing * (now - before);
  return rate < 0.1 ? 0 : rate;
}
