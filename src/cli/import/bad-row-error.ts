import { CliError } from '../exit-codes.ts';

/** A line that cannot be imported: where, and why. */
export class BadRowError extends CliError {
  readonly line: number;

  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
    this.line = line;
  }
}
