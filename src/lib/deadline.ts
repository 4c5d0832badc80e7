/**
 * Settles as `promise` does when that happens within `timeoutMs`, else as `onTimeout()` returns or throws. The
 * timer is gone as soon as either has happened, and a promise that fails after its deadline is no unhandled
 * rejection: whoever must know of it hears it from the promise itself.
 */
export function withDeadline<T, L = T>(
  promise: PromiseLike<T>,
  timeoutMs: number,
  onTimeout: () => L | PromiseLike<L>,
): Promise<T | L> {
  return new Promise<T | L>((resolve, reject) => {
    const timer = setTimeout(() => {
      // A throw in a timer would not reach the promise by itself.
      Promise.try(onTimeout).then(resolve, reject);
    }, timeoutMs);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
