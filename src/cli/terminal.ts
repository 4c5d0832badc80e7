import { Presets, SingleBar } from 'cli-progress';
import { formatCount } from './output/number.ts';

/** Where a command's words go: results to standard output, everything else to standard error. */
export interface Terminal {
  /** One line (or several) of the result. */
  out(text: string): void;
  /** Part of a line of the result. */
  write(text: string): void;
  /** One line that is not part of the result: progress, notes, errors. */
  note(text: string): void;
  /** Rewrites one line in place on a terminal; does nothing elsewhere. */
  progress(text: string): void;
  /** Takes the progress line away. */
  clearProgress(): void;
  /** A progress bar on a terminal, a line at every tenth elsewhere. */
  bar(what: string, total: number): ProgressBar;
  /** Width that tables keep to. */
  readonly columns: number;
  /** Standard output is a terminal. */
  readonly outIsTerminal: boolean;
  /** Standard error is a terminal: progress may move. */
  readonly errorIsTerminal: boolean;
  /** Resolves when all has been written, also into a slow pipe. */
  flush(): Promise<void>;
}

export interface ProgressBar {
  update(done: number): void;
  stop(): void;
}

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

const columnsWithoutTerminal = 80;

export function createTerminal(stdout: Output, stderr: Output, columns: string | undefined): Terminal {
  const { write, flush } = createWriter([stdout, stderr]);
  let progressShown = false;
  const clearProgress = () => {
    if (progressShown) write(stderr, '\r\u001b[K');
    progressShown = false;
  };
  return {
    out: (text) => {
      clearProgress();
      write(stdout, `${text}\n`);
    },
    write: (text) => write(stdout, text),
    note: (text) => {
      clearProgress();
      write(stderr, `${text}\n`);
    },
    progress: (text) => {
      if (stderr.isTTY !== true) return;
      write(stderr, `\r\u001b[K${text.slice(0, (stderr.columns ?? columnsWithoutTerminal) - 1)}`);
      progressShown = true;
    },
    clearProgress,
    bar: (what, total) =>
      stderr.isTTY === true
        ? movingBar(stderr, what, total)
        : lineBar((text) => write(stderr, text), what, total),
    columns: stdout.columns ?? (Number(columns) || columnsWithoutTerminal),
    outIsTerminal: stdout.isTTY === true,
    errorIsTerminal: stderr.isTTY === true,
    flush,
  };
}

function createWriter(outputs: readonly Output[]) {
  let pending: Promise<unknown> = Promise.resolve();
  // Whoever reads us may have seen enough (`| head`): that is their business and no failure of ours.
  for (const output of outputs) output.on('error', () => {});
  return {
    write: (output: Output, text: string) => {
      const written = new Promise<void>((resolve) => output.write(text, () => resolve()));
      pending = Promise.all([pending, written]);
    },
    flush: async () => {
      await pending;
    },
  };
}

function movingBar(stream: NodeJS.WritableStream, what: string, total: number): ProgressBar {
  const format = `${what} [{bar}] {percentage} %  {value} of {total}  {duration_formatted}`;
  const bar = new SingleBar({ stream, format, barsize: 30, hideCursor: true }, Presets.shades_classic);
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

function lineBar(write: (text: string) => void, what: string, total: number): ProgressBar {
  let tenths = 0;
  return {
    update: (done) => {
      const reached = Math.floor((10 * done) / total);
      if (reached === tenths) return;
      tenths = reached;
      write(`${what}: ${formatCount(done)} of ${formatCount(total)} (${reached * 10} %)\n`);
    },
    stop: () => {},
  };
}
