import { fileURLToPath } from 'node:url';

/** How this program runs itself again, and how its user calls it. */
export interface OwnProgram {
  /** The command line to which the CLI's arguments are added. */
  readonly command: readonly string[];
  /** What a line to paste begins with. */
  readonly callAs: string;
  /** What starts everything. */
  readonly startAs: string;
  /** The clone that the program lies in; the single executable lies in none. */
  readonly projectRoot: string | undefined;
}

const mainFile = new URL('./main.ts', import.meta.url);
/** Where Bun shows the modules of an executable that it compiled. */
const isSingleFile = import.meta.url.includes('/$bunfs/') || import.meta.url.includes('/~BUN/');

export const ownProgram: OwnProgram = isSingleFile
  ? {
      command: [process.execPath],
      callAs: process.argv0,
      startAs: `${process.argv0} up`,
      projectRoot: undefined,
    }
  : {
      command: [process.execPath, fileURLToPath(mainFile)],
      callAs: 'bin/tributary',
      startAs: 'npm start',
      projectRoot: fileURLToPath(new URL('../..', import.meta.url)),
    };
