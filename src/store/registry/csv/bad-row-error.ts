/** A line that cannot be imported: where, and why. */
export class BadRowError extends Error {
  override readonly name = 'BadRowError';
  readonly line: number;
  /** The message without the line's number. */
  readonly why: string;

  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
    this.line = line;
    this.why = why;
  }
}

/** The file as a whole cannot be read: no usable header, broken quotes. */
export class BadFileError extends Error {
  override readonly name = 'BadFileError';
}
