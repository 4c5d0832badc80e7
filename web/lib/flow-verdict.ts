import { formatCount, formatMs, formatRate } from './format.ts';
import type { OverviewSample, Tone } from './types.ts';

export interface FlowVerdict {
  readonly tone: Tone;
  /** Two words. */
  readonly title: string;
  /** What it means, and where to look. */
  readonly sentence: string;
}

const slowRowMs = 5_000;
/** Seconds of input that lie in the stream. */
const deepBacklogSeconds = 10;
const looksBackSamples = 10;

/** The one thing that an operator wants to know, worst first. */
export function judgeFlow(samples: readonly OverviewSample[], isStale: boolean): FlowVerdict {
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
  const unaccounted = last.unaccounted ?? 0;
  if (unaccounted > 0) {
    return {
      tone: 'bad',
      title: 'Unaccounted',
      sentence: `${formatCount(unaccounted)} accepted messages have no outcome. Run tributary audit.`,
    };
  }
  return judgeBacklog(samples, last) ?? judgeRate(last);
}

function judgeBacklog(samples: readonly OverviewSample[], last: OverviewSample): FlowVerdict | undefined {
  const backlog = last.backlog ?? 0;
  const earlier = samples.slice(-looksBackSamples);
  const taken = earlier.reduce((sum, sample) => sum + settledPerSecond(sample), 0);
  if (backlog > 0 && taken === 0 && earlier.length === looksBackSamples) {
    return {
      tone: 'bad',
      title: 'Standing still',
      sentence: `${formatCount(backlog)} messages wait and no worker takes any. They are safe; see System.`,
    };
  }
  const p99 = last.door_to_row_ms?.p99 ?? 0;
  const isDeep = backlog > 100 && backlog > last.in_per_second * deepBacklogSeconds;
  if (!isDeep && p99 < slowRowMs) return undefined;
  const grows = last.in_per_second > settledPerSecond(last);
  return {
    tone: 'warn',
    title: grows ? 'Backing up' : 'Catching up',
    sentence: `${formatCount(backlog)} messages wait; a reading takes ${formatMs(p99)} to its row.`,
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

/** Whatever the outcome: what is quarantined does not wait either. */
export function settledPerSecond({ out_per_second, by_verdict }: OverviewSample): number {
  const outcomes = Object.values(by_verdict).reduce((sum, each) => sum + each, 0);
  return Math.max(out_per_second, outcomes);
}
