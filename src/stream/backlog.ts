import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { type Backlog, nextSample, type Sample } from './backlog-sample.ts';
import { type RoomLimits, StreamRoom } from './room.ts';
import { consumerInfo, type StreamInfo, streamInfo, subjectCounts } from './stream-info.ts';

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

export function startBacklogMonitor(options: BacklogMonitorOptions): BacklogMonitor {
  const intervalMs = options.intervalMs ?? backlogDefaults.intervalMs;
  const clock = options.clock ?? (() => performance.now());
  const room = options.limits === undefined ? undefined : new StreamRoom(options.limits);
  const looks = createLooks(options, room, clock);
  void looks.look();
  const timer = setInterval(looks.look, intervalMs);
  return {
    current() {
      const last = looks.last();
      if (last === undefined) return undefined;
      const ageMs = clock() - last.atMs;
      return ageMs > intervalMs * backlogDefaults.staleAfterIntervals ? undefined : last.backlog;
    },
    streamCreated: () => looks.last()?.created,
    take: (subject, bytes) => {
      const full = room?.take(subject, bytes);
      if (full !== undefined) looks.lookEarly();
      return full;
    },
    // One that began before the stream was there tells nothing.
    look: async () => {
      await looks.underway();
      await looks.look();
    },
    drain() {
      clearInterval(timer);
      looks.stop();
      // A sample under way owes nobody anything; while NATS is away it would hold up the stop for seconds.
      return Promise.resolve();
    },
  };
}

/** One look at a time, whoever asks. */
function createLooks(options: BacklogMonitorOptions, room: StreamRoom | undefined, clock: () => number) {
  let last: Sample | undefined;
  let looking: Promise<void> | undefined;
  let earliestMs = 0;
  let early: Timer | undefined;
  const sample = async () => {
    const startedMs = clock();
    last = (await takeSample(options, room, last, clock)) ?? last;
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
  return {
    last: () => last,
    underway: () => looking,
    look,
    /** Whom this door refuses comes back when it has room again, so that is not left to the next regular look. */
    lookEarly: () => {
      if (early !== undefined || looking !== undefined) return;
      const delayMs = Math.max(0, earliestMs - clock());
      early = setTimeout(() => {
        early = undefined;
        void look();
      }, delayMs);
    },
    stop: () => clearTimeout(early),
  };
}

/** Undefined: the stream or its consumer could not be looked at. */
async function takeSample(
  options: BacklogMonitorOptions,
  room: StreamRoom | undefined,
  before: Sample | undefined,
  clock: () => number,
): Promise<Sample | undefined> {
  const { nc, stream, consumer, limits, log } = options;
  room?.lookBegins();
  let taken: Sample | undefined;
  try {
    const infos = await Promise.all([streamInfo(nc, stream), consumerInfo(nc, stream, consumer)]);
    const [streamNow, consumerNow] = infos;
    taken = nextSample(before, streamNow, consumerNow, clock(), limits);
    const perSubject = await countSubjects(options, streamNow);
    room?.lookEnds({ bytes: streamNow.state.bytes, perSubject });
  } catch (error) {
    room?.lookFailed();
    // The outage itself is reported by the connection, a missing stream by whoever publishes or pulls.
    log.debug({ error: String(error) }, 'could not sample the backlog');
  }
  return taken;
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
