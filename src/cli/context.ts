import type { Environment } from '../config/parse-config.ts';
import type { Signals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import type { Screen } from './top/screen.ts';

/** What every command is given instead of reaching for the process. */
export interface CliContext {
  readonly environment: Environment;
  readonly terminal: Terminal;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly signals: Signals;
  /** Takes the whole terminal over; undefined, or absent, where standard output is none. */
  readonly openScreen?: () => Screen | undefined;
  /** All of standard input. */
  readonly readStdin: () => Promise<string>;
}
