/** Where `up` tells the user what it does; one line each, no colour, made for 80 columns. */
export interface Progress {
  /** Shows that a step has begun and, when it ends, how: `● starting PostgreSQL …  ok 1.2 s`. */
  step<T>(what: string, work: () => Promise<T>, outcome?: (result: T) => string): Promise<T>;
  /** A line of its own, for what happens while the system runs. */
  note(line: string): void;
}

export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** On a terminal a step's line is completed when it ends; otherwise a step is one line, written at its end. */
  readonly isTerminal: boolean;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

export function createProgress({ write, isTerminal, clock }: ProgressOptions): Progress {
  return {
    step: async (what, work, outcome) => {
      const startedAt = clock();
      const line = `● ${what} …`;
      if (isTerminal) write(line);
      const finish = (end: string) => write(`${isTerminal ? '' : line}  ${end}\n`);
      try {
        const result = await work();
        const seconds = ((clock() - startedAt) / 1000).toFixed(1);
        finish(`${outcome?.(result) ?? 'ok'} ${seconds} s`);
        return result;
      } catch (error) {
        finish('failed');
        throw error;
      }
    },
    note: (line) => write(`● ${line}\n`),
  };
}
