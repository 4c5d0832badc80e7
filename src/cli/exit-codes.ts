/** What a shell or a supervisor can tell from the exit code; 69 and 78 as in sysexits.h. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** NATS, PostgreSQL or the gateway cannot be reached. */
  unavailable: 69,
  /** A setting is wrong: starting again will not help. */
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure whose message is the whole story for the user: what is wrong, and what to do about it. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CliError {
  return new CliError(message, exitCodes.usage);
}
