/** What a trial at a rate showed. */
export interface Trial {
  /** Everything was accepted in time and the backlog stayed flat. */
  readonly held: boolean;
  readonly why: string;
}

export interface SearchOptions {
  /** Known to be too much, or barely possible. */
  readonly upper: number;
  /** Halvings. */
  readonly steps: number;
  readonly attempt: (messagesPerSecond: number) => Promise<Trial>;
}

/** How often the range is moved down when nothing in it holds. */
const maxLower = 4;

/** The highest rate that held, by bisection. @throws Error when none did */
export async function findSustainedRate({ upper, steps, attempt }: SearchOptions): Promise<number> {
  let high = upper;
  let low = upper / 4;
  let lowered = 0;
  let held: number | undefined;
  for (let step = 0; step < steps; ) {
    const rate = held === undefined && step === 0 ? low : (low + high) / 2;
    const trial = await attempt(Math.round(rate));
    if (trial.held) {
      low = rate;
      held = rate;
      step += 1;
      continue;
    }
    high = rate;
    if (held !== undefined || step > 0) step += 1;
    else if (lowered < maxLower) {
      lowered += 1;
      low = rate / 4;
    } else throw new Error(`no rate down to ${Math.round(rate)} messages a second held: ${trial.why}`);
  }
  if (held === undefined) throw new Error('no rate held');
  return held;
}

/** Backlog over the measured time, in messages, at even distances. */
export interface Flatness {
  readonly backlog: readonly number[];
  readonly messagesPerSecond: number;
  readonly measureMs: number;
}

/** Messages that come and go with the batches under way. */
const noise = 4_000;
/** Of the messages sent in between: what may pile up without being called growth. */
const growthShare = 0.02;

/** Whether the backlog is flat: its last third is no higher than its first, but for a batch or two. */
export function isFlat({ backlog, messagesPerSecond, measureMs }: Flatness): boolean {
  const third = Math.floor(backlog.length / 3);
  if (third === 0) return false;
  const first = mean(backlog.slice(0, third));
  const last = mean(backlog.slice(-third));
  const sentBetween = (messagesPerSecond * measureMs * (2 / 3)) / 1_000;
  return last - first <= Math.max(noise, growthShare * sentBetween) && last <= noise + messagesPerSecond;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
