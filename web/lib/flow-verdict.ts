import { type Flow, flowPoints, settledPerSecond } from './flow-points.ts';
import { formatCount, formatMs, formatRate } from './format.ts';
import type { Block, FlowPoint, OverviewSample, Tone } from './types.ts';

export interface FlowVerdict {
  readonly tone: Tone;
  /** A few words. */
  readonly title: string;
  /** What it means, and what to do. */
  readonly sentence: string;
  /** The page that says more. */
  readonly see?: 'system' | 'quarantine';
}

const slowRowMs = 5_000;
/** Seconds of input that lie in the stream. */
const deepBacklogSeconds = 10;
const looksBackMs = 10_000;
/** Points stand for the time before them, and come a little unevenly. */
const leastSeenMs = 8_000;
/** Of what is settled. */
const worrySomeShare = 0.1;

/** The one thing that an operator wants to know, worst first. */
export function judgeFlow(flow: Flow, isStale: boolean): FlowVerdict {
  const { samples } = flow;
  const last = samples.at(-1);
  if (last === undefined)
    return { tone: 'quiet', title: 'Listening', sentence: 'Waiting for the first figures.' };
  if (isStale) {
    return {
      tone: 'warn',
      title: 'No news',
      sentence: 'The console tells nothing new. What is below is old.',
    };
  }
  const lately = flowPoints(flow).filter(({ timeMs }) => timeMs >= Date.parse(last.time) - looksBackMs);
  return (
    judgeAudit(last) ??
    (last.blocked_by === null ? undefined : blocked(last.blocked_by, last)) ??
    judgeRefused(samples) ??
    judgeBacklog(lately, last) ??
    judgeQuarantine(samples) ??
    judgeRate(last)
  );
}

function judgeAudit({ unaccounted }: OverviewSample): FlowVerdict | undefined {
  if (unaccounted === null || unaccounted <= 0) return undefined;
  return {
    tone: 'bad',
    title: 'Unaccounted',
    sentence: `${formatCount(unaccounted)} accepted messages have no outcome. Run tributary audit.`,
  };
}

const again = 'devices are told to send again.';
/** The first cause is behind it: what waits for a worker fills the stream. */
const turnedAway = ' Devices are turned away: there is no more room.';

function blocked(by: Block, { backlog, refused_per_second }: OverviewSample): FlowVerdict {
  const full = refused_per_second > 0 ? turnedAway : '';
  const waiting = backlog === null || backlog === 0 ? 'What comes in waits' : `${countOf(backlog)} wait`;
  const words: Readonly<Record<Block, readonly [string, string]>> = {
    nats_away: [
      'NATS is away',
      `Nothing is accepted: ${again} Start the NATS server, or mend the way to it.`,
    ],
    jetstream_away: [
      'JetStream is away',
      `NATS answers and its streams do not: nothing is accepted, and ${again} Look into the NATS server's log.`,
    ],
    database_away: [
      'PostgreSQL is away',
      `${waiting} safely in the stream, and none gets its row. Start PostgreSQL, or mend the way to it.${full}`,
    ],
    no_worker: [
      'No worker answers',
      `${waiting} safely in the stream, and none gets its row. Start one: tributary worker.${full}`,
    ],
    stream_full: [
      'The stream is full',
      `${waiting}, and ${again} More workers help, or a larger TRIBUTARY_STREAM_MAX_BYTES.`,
    ],
    no_door: [
      'No door is open',
      'No gateway and no MQTT listener answers: devices reach nobody. Start one: tributary gateway.',
    ],
  };
  const [title, sentence] = words[by];
  return { tone: 'bad', title, sentence, see: 'system' };
}

const countOf = (messages: number): string =>
  messages === 1 ? '1 message' : `${formatCount(messages)} messages`;

/** For a reason that is not the installation's: the tenant's share of the stream, or NATS that was away for a moment. */
function judgeRefused(samples: readonly OverviewSample[]): FlowVerdict | undefined {
  const [last, before] = [samples.at(-1)?.refused_per_second ?? 0, samples.at(-2)?.refused_per_second ?? 0];
  if (last === 0 || before === 0) return undefined;
  return {
    tone: 'bad',
    title: 'Turning away',
    sentence: `${formatRate(last)} messages a second are answered 503, for want of room or of an answer from NATS: ${again}`,
    see: 'system',
  };
}

function judgeBacklog(lately: readonly FlowPoint[], last: OverviewSample): FlowVerdict | undefined {
  const backlog = last.backlog ?? 0;
  const seenMs = Date.parse(last.time) - (lately[0]?.timeMs ?? Number.POSITIVE_INFINITY);
  if (backlog > 0 && seenMs >= leastSeenMs && lately.every(({ settled }) => settled === 0)) {
    return {
      tone: 'bad',
      title: 'Standing still',
      sentence: `${countOf(backlog)} wait and no worker takes any. They are safe. The worker's log says why.`,
      see: 'system',
    };
  }
  const p99 = last.door_to_row_ms?.p99 ?? 0;
  const isDeep = backlog > 100 && backlog > last.in_per_second * deepBacklogSeconds;
  if (!isDeep && p99 < slowRowMs) return undefined;
  const grows = last.in_per_second > settledPerSecond(last);
  return {
    tone: 'warn',
    title: grows ? 'Backing up' : 'Catching up',
    sentence: `${countOf(backlog)} wait; a reading takes ${formatMs(p99)} to its row.${grows ? ' More workers help.' : ''}`,
  };
}

function judgeQuarantine(samples: readonly OverviewSample[]): FlowVerdict | undefined {
  const lately = samples.slice(-10);
  const sum = (of: (sample: OverviewSample) => number) => lately.reduce((total, each) => total + of(each), 0);
  const refused = sum(({ by_verdict }) => by_verdict.quarantined ?? 0);
  const share = refused / Math.max(1e-9, sum(settledPerSecond));
  if (share < worrySomeShare) return undefined;
  return {
    tone: 'warn',
    title: share > 0.99 ? 'Nothing is stored' : 'Much is refused',
    sentence: `${Math.round(share * 100)} % of the messages are quarantined. The reasons say what to mend; then they can be replayed.`,
    see: 'quarantine',
  };
}

function judgeRate(last: OverviewSample): FlowVerdict {
  if (last.in_per_second === 0 && settledPerSecond(last) === 0) {
    return { tone: 'quiet', title: 'Idle', sentence: 'Nothing is arriving, and nothing waits.' };
  }
  return {
    tone: 'good',
    title: 'Flowing',
    sentence: `${formatRate(last.in_per_second)} messages a second come in, ${formatRate(settledPerSecond(last))} are settled.`,
  };
}
