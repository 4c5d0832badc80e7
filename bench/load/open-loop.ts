/** What sending one message or batch came to. */
export interface Sent {
  /** Messages that were accepted, and that were not. */
  readonly accepted: number;
  readonly failed: number;
}

export interface OpenLoopOptions {
  /** Sends per second, at even distances. */
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Sends once, at once or as soon as it can; never throws. */
  readonly send: () => Promise<Sent>;
  /** Latency from the intended send time, so that a stall of whoever answers, or of the sender, is not hidden. */
  readonly onAnswer: (latencyMs: number, sent: Sent, intendedAtMs: number) => void;
  /** How late each send began: what the generator itself adds to a latency. */
  readonly onSend?: (lateMs: number) => void;
  /** Monotonic, in ms. */
  readonly clock: () => number;
  /** Resolves after about this time; being late is caught up. */
  readonly wait: (ms: number) => Promise<void>;
}

export interface OpenLoopEnd {
  readonly sends: number;
  /** Sends not answered when the time was over; their answers are awaited before the end. */
  readonly openAtEnd: number;
}

/**
 * Sends at a fixed rate whatever the answers do: the arrivals of a fleet do not wait for each other. What falls due
 * during a stall is sent late and its latency counts from when it was due.
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopEnd> {
  const { ratePerSecond, durationMs, clock, wait } = options;
  const gapMs = 1_000 / ratePerSecond;
  const startMs = clock();
  const total = Math.max(1, Math.floor(durationMs / gapMs));
  let open = 0;
  const { promise: allAnswered, resolve } = Promise.withResolvers<void>();
  let sends = 0;
  const sendOne = async (intendedAtMs: number) => {
    open += 1;
    options.onSend?.(clock() - intendedAtMs);
    const sent = await options.send();
    options.onAnswer(clock() - intendedAtMs, sent, intendedAtMs);
    open -= 1;
    if (open === 0 && sends === total) resolve();
  };
  while (sends < total) {
    const due = Math.min(total, Math.floor((clock() - startMs) / gapMs) + 1);
    for (; sends < due; ) {
      const intendedAtMs = startMs + sends * gapMs;
      sends += 1;
      void sendOne(intendedAtMs);
    }
    if (sends < total) await wait(startMs + sends * gapMs - clock());
  }
  const openAtEnd = open;
  if (open > 0) await allAnswered;
  return { sends, openAtEnd };
}
