import { exitCodes } from './exit-codes.ts';
import { isRole } from './role-names.ts';
import { createSignals } from './signals.ts';

const signals = createSignals(process, () => performance.now());
const args = process.argv.slice(2);
// Before the rest of the program is loaded, which takes a while: a role that is told to stop meanwhile ends in order.
const stop = isRole(args[0]) ? signals.stop() : undefined;

const { createTerminal } = await import('./terminal.ts');
const { runCli } = await import('./run-cli.ts');
const { openScreen } = await import('./top/screen.ts');

// What was signalled while modules were evaluated is told in the next turn.
await new Promise(setImmediate);
if (stop?.aborted === true) process.exit(exitCodes.ok);

const terminal = createTerminal(process.stdout, process.stderr, process.env.COLUMNS);

const exitCode = await runCli(args, {
  environment: process.env,
  terminal,
  clock: Date.now,
  random: Math.random,
  signals,
  openScreen: () =>
    openScreen(process.stdout, process.stdin, (listener) => void process.on('exit', listener)),
  readStdin: () => Bun.stdin.text(),
});

await terminal.flush();
process.exit(exitCode);
