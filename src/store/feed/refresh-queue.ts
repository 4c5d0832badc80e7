/**
 * Who waits for a load of the registry. A load answers only those who asked before it began: it may have read the
 * version before a later asker's change was committed.
 */
export interface RefreshQueue {
  /** Resolves after the next load that begins from now on; rejects as that load does. */
  add(atLeast: number): Promise<void>;
  /** To be called when a load begins, and its result when it ends. */
  begin(): LoadResult;
  /** Rejects everybody who waits, whether their load has begun or not. */
  rejectAll(error: Error): void;
}

export interface LoadResult {
  loaded(version: number): void;
}

interface Waiter {
  readonly atLeast: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function createRefreshQueue(): RefreshQueue {
  let waiting = new Set<Waiter>();
  let underway = new Set<Waiter>();
  return {
    add: (atLeast) =>
      new Promise((resolve, reject) => {
        waiting.add({ atLeast, resolve, reject });
      }),
    begin: () => {
      underway = waiting;
      waiting = new Set();
      return {
        loaded: (version) => {
          for (const waiter of underway) settle(waiter, version);
          underway = new Set();
        },
      };
    },
    rejectAll: (error) => {
      for (const waiter of [...underway, ...waiting]) waiter.reject(error);
      underway = new Set();
      waiting = new Set();
    },
  };
}

function settle({ atLeast, resolve, reject }: Waiter, version: number): void {
  if (version >= atLeast) resolve();
  else reject(new Error(`The registry is at version ${version}, and version ${atLeast} was asked for`));
}
