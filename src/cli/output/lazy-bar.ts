import type { Terminal } from '../terminal.ts';

export interface LazyBar {
  update(done: number, total: number): void;
  stop(): void;
}

/** A progress bar that appears with the first thing done: how many there are is not known before. */
export function createLazyBar(terminal: Terminal, what: string): LazyBar {
  let bar: ReturnType<Terminal['bar']> | undefined;
  return {
    update(done, total) {
      bar ??= terminal.bar(what, total);
      bar.update(done);
    },
    stop: () => bar?.stop(),
  };
}
