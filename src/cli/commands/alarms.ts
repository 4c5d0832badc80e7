import type { Command } from 'commander';
import { alarmAsJson } from '../../roles/status/status-as-json.ts';
import { clearAlarms, listAlarms } from '../../store/listings/list-alarms.ts';
import { withChange } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, defineGroup, invocationOf } from '../define-command.ts';
import { printListing } from '../listing.ts';
import { formatAgo } from '../output/duration.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/number.ts';

export function addAlarmsCommands(program: Command, context: CliContext): void {
  const group = defineGroup(program, 'alarms', {
    summary: 'what a person has to look at',
    examples: ['alarms list', 'alarms clear'],
  });
  addList(group, context);
  addClear(group, context);
}

function addList(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'list',
    summary: 'list the alarms that nobody has cleared',
    details: 'While there is one, `status` ends with exit code 1.',
    examples: ['alarms list', 'alarms list --json'],
  }).action(async (_options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    const rows = await withDatabase(invocation, (pool) => listAlarms(pool));
    const nowMs = context.clock();
    printListing(invocation, {
      rows,
      columns: [
        { title: 'ALARM', value: ({ kind }) => kind },
        { title: 'OF', value: ({ subject }) => subject },
        { title: 'COUNT', value: ({ count }) => formatCount(Number(count)), align: 'right' },
        { title: 'LAST', value: ({ lastAt }) => formatAgo(lastAt.getTime(), nowMs) },
        { title: 'WHAT', value: ({ detail }) => detail, minimum: 20 },
      ],
      toJson: alarmAsJson,
      empty: 'No alarms.',
    });
  });
}

function addClear(group: Command, context: CliContext): void {
  defineCommand(group, {
    usage: 'clear',
    summary: 'delete the alarms, once what they tell of is mended',
    examples: ['alarms clear'],
  }).action(async (_options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    const cleared = await withChange(invocation, clearAlarms, (count) =>
      count === 0 ? undefined : { action: 'alarms.clear', target: 'alarms', detail: { cleared: count } },
    );
    if (invocation.json) invocation.terminal.out(toJson({ cleared }));
    else invocation.terminal.out(cleared === 0 ? 'No alarms.' : `${cleared} cleared.`);
  });
}
