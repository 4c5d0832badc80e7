import type { Command } from 'commander';
import { migrate } from '../../store/migrate.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { toJson } from '../output/json.ts';

export function addMigrateCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'migrate',
    summary: 'bring the tables of the database up to date',
    details: 'Safe to repeat, and safe to run from several machines at once. `up` does it by itself.',
    examples: ['migrate', 'migrate --database-url postgres://tributary@db/tributary'],
    settings: ['databaseUrl', 'dataDir'],
  }).action(async (_options: unknown, command: Command) => {
    const invocation = invocationOf(context, command);
    const { applied, version } = await withDatabase(invocation, (pool) => migrate(pool));
    if (invocation.json) invocation.terminal.out(toJson({ applied, version }));
    else if (applied.length === 0)
      invocation.terminal.out(`Nothing to do: the database is at version ${version}.`);
    else invocation.terminal.out(`Applied ${applied.join(', ')}: the database is at version ${version} now.`);
  });
}
