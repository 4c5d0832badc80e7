/** What has to end within one and the same time. */
export interface SharedDeadline {
  /** As `promise` resolves; undefined when the time is up first, or the promise fails. Never rejects. */
  race<T>(promise: PromiseLike<T>): Promise<T | undefined>;
}

interface Waiting {
  readonly dueMs: number;
  readonly giveUp: () => void;
}

/**
 * One timer for all that waits, where `withDeadline` needs one each: since everybody has the same time, the oldest is
 * always the next to be late. The timer keeps no process alive.
 *
 * @param clock monotonic, in ms
 */
export function createSharedDeadline(timeoutMs: number, clock: () => number): SharedDeadline {
  const waiting = new Set<Waiting>();
  let isArmed = false;
  const sweep = () => {
    isArmed = false;
    const now = clock();
    for (const one of waiting) {
      if (one.dueMs > now) return arm(one.dueMs - now);
      waiting.delete(one);
      one.giveUp();
    }
  };
  const arm = (delayMs: number) => {
    isArmed = true;
    setTimeout(sweep, delayMs).unref();
  };
  return {
    race: (promise) =>
      new Promise((resolve) => {
        const one = { dueMs: clock() + timeoutMs, giveUp: () => resolve(undefined) };
        waiting.add(one);
        if (!isArmed) arm(timeoutMs);
        promise.then(
          (value) => {
            waiting.delete(one);
            resolve(value);
          },
          () => {
            waiting.delete(one);
            resolve(undefined);
          },
        );
      }),
  };
}
