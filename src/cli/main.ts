import { runCli } from './run-cli.ts';
import { createSignals } from './signals.ts';
import { createTerminal } from './terminal.ts';

const terminal = createTerminal(process.stdout, process.stderr, process.env.COLUMNS);

const exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  terminal,
  clock: Date.now,
  random: Math.random,
  signals: createSignals(process, () => performance.now()),
  readStdin: () => Bun.stdin.text(),
});

await terminal.flush();
process.exit(exitCode);
