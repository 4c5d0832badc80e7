import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/run-cli.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import type { CliResult } from '../harness/role-process.ts';

/**
 * Runs one command of the CLI in the test's own process: a third of a second less for each. What depends on the process
 * (signals, exit codes, a terminal) is for `runTributary`.
 */
export async function runInProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  { stdin = '', stop = new AbortController().signal }: { stdin?: string; stop?: AbortSignal } = {},
): Promise<CliResult> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = Promise.all([new Response(stdout).text(), new Response(stderr).text()]);
  const terminal = createTerminal(stdout, stderr, undefined);
  const code = await runCli(args, {
    environment,
    terminal,
    clock: Date.now,
    random: Math.random,
    signals: { stop: () => stop, hurry: () => stop },
    readStdin: async () => stdin,
  });
  await terminal.flush();
  stdout.end();
  stderr.end();
  const [out, err] = await texts;
  return { code, stdout: out, stderr: err };
}
