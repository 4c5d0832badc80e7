/** Something to do again and again. */
export interface Task {
  readonly name: string;
  /** @returns after how many ms it wants to run again. */
  readonly run: () => Promise<number>;
}

export interface Schedule {
  /** Runs what is due, one after the other. @returns how many ms until the next is. */
  runDue(): Promise<number>;
}

/** After a failure a task waits `afterFailureMs`, and the others go on; `onFailure` may throw to end it all. */
export function createSchedule(
  tasks: readonly Task[],
  options: {
    readonly clock: () => number;
    readonly afterFailureMs: number;
    readonly onFailure: (task: string, error: unknown) => Promise<void>;
  },
): Schedule {
  const { clock, afterFailureMs, onFailure } = options;
  const dueAtMs = new Map(tasks.map((task) => [task, clock()]));
  return {
    runDue: async () => {
      for (const task of tasks) {
        if ((dueAtMs.get(task) ?? 0) > clock()) continue;
        try {
          const againMs = await task.run();
          dueAtMs.set(task, clock() + againMs);
        } catch (error) {
          dueAtMs.set(task, clock() + afterFailureMs);
          await onFailure(task.name, error);
        }
      }
      return Math.max(0, Math.min(...dueAtMs.values()) - clock());
    },
  };
}
