import type { CliContext } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { exitCodes } from './exit-codes.ts';
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

/** Runs one command line to its end; never throws. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  const program = createProgram(context);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return exitCodes.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    const { exitCode, text } = reportError(error, { withStack: wantsStack(context) });
    if (text !== undefined) context.terminal.note(text);
    return exitCode;
  }
}

function wantsStack({ environment }: CliContext): boolean {
  return ['debug', 'trace'].includes(environment.TRIBUTARY_LOG_LEVEL ?? '');
}
