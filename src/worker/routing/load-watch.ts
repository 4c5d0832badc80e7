/** Whether there is time for the jobs of routes. */
export interface LoadWatch {
  /** A transaction had so many messages. */
  settled(messages: number): void;
  /** Messages wait to be settled. */
  isBusy(): boolean;
  /** Whether it is a job's turn; takes the turn. */
  mayPublish(): boolean;
}

export const loadWatchDefaults = {
  /** After a full batch, unless a smaller one follows: the longest that a batch takes on a machine with too much to do. */
  busyForMs: 5_000,
  /** While it is busy, a job for so many messages: all processes together spend 200 µs on a job (measured). */
  messagesPerJob: 25,
} as const;

/**
 * A full batch says that messages wait: then they come before the jobs, which get a share by the messages settled. A share
 * by time would weigh more the slower the machine is.
 */
export function createLoadWatch(fullBatch: number, clock: () => number): LoadWatch {
  const { busyForMs, messagesPerJob } = loadWatchDefaults;
  let fullAtMs = Number.NEGATIVE_INFINITY;
  let turns = 0;
  const isBusy = () => clock() - fullAtMs < busyForMs;
  return {
    isBusy,
    settled: (messages: number) => {
      fullAtMs = messages >= fullBatch ? clock() : Number.NEGATIVE_INFINITY;
      turns = Math.min(turns + messages / messagesPerJob, fullBatch);
    },
    mayPublish: () => {
      if (!isBusy()) return true;
      if (turns < 1) return false;
      turns -= 1;
      return true;
    },
  };
}
