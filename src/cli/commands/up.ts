import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { withProcessCounts } from '../../roles/up/process-counts.ts';
import { runUp } from '../../roles/up/up.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { checkAddresses } from '../locate.ts';
import { ownProgram } from '../own-program.ts';

export function addUpCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'up',
    summary: 'run everything on this machine',
    details:
      'Brings a NATS server and a PostgreSQL of its own, unless NATS_URL and DATABASE_URL name others. Its data ' +
      'stays in the data folder. Ctrl-C stops everything in order; a second one does not wait.',
    examples: ['up', 'up --workers 2 --http-port 9080'],
    settings: 'all',
    json: false,
  }).action(async (_options: unknown, command: Command) => {
    const { config, environment, terminal, signals } = invocationOf(context, command);
    checkAddresses(config);
    await runUp({
      config: withProcessCounts(config, availableParallelism()),
      environment,
      roleCommand: (role) => [...ownProgram.command, role],
      callAs: ownProgram.callAs,
      write: terminal.write,
      isTerminal: terminal.outIsTerminal,
      stop: signals.stop(),
      hurry: signals.hurry(),
    });
  });
}
