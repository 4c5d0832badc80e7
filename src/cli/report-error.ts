import { CommanderError } from 'commander';
import { ConfigError } from '../config/parse-config.ts';
import { redactUrls } from '../lib/redact-url.ts';
import { sentenceOf } from '../lib/sentence-of.ts';
import { NatsUnreachableError } from '../stream/connection.ts';
import { CliError, type ExitCode, exitCodes } from './exit-codes.ts';

export interface ErrorReport {
  readonly exitCode: ExitCode;
  /** What goes to standard error; undefined when it has been said already. */
  readonly text: string | undefined;
}

/** One sentence and an exit code for whatever a command threw; the stack only for those who debug. */
export function reportError(error: unknown, options: { readonly withStack: boolean }): ErrorReport {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; `--help` and `--version` arrive here too, as successes.
    return { exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage, text: undefined };
  }
  const exitCode = exitCodeOf(error);
  const stack = options.withStack && error instanceof Error ? `\n${stackOf(error)}` : '';
  return { exitCode, text: `error: ${sentenceOf(error)}${redactUrls(stack)}` };
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof NatsUnreachableError) return exitCodes.unavailable;
  return error instanceof ConfigError ? exitCodes.configuration : exitCodes.failure;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? ''}${cause}`;
}
