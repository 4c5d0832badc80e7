/** A wait that can be cut short. A wake-up that comes while nobody waits ends the next wait at once. */
export interface Waker {
  wait(timeoutMs: number): Promise<void>;
  wake(): void;
}

export function createWaker(): Waker {
  let pending = false;
  let resolveWait: (() => void) | undefined;
  return {
    wait: (timeoutMs) => {
      if (pending) {
        pending = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolveWait?.(), timeoutMs);
        resolveWait = () => {
          resolveWait = undefined;
          clearTimeout(timer);
          resolve();
        };
      });
    },
    wake: () => {
      if (resolveWait === undefined) pending = true;
      else resolveWait();
    },
  };
}
