import type { Command } from 'commander';
import { openIncidents } from '../../audit/take-audit.ts';
import { sentenceOf } from '../../lib/sentence-of.ts';
import { gatherStatus, type Status, type StatusSources } from '../../roles/status/gather.ts';
import { statusAsJson } from '../../roles/status/status-as-json.ts';
import { incidentOf } from '../audit/describe-audit.ts';
import { withDatabase, withNats } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { locate } from '../locate.ts';
import { toJson } from '../output/json.ts';
import { describeStatus } from '../status/describe.ts';

const sampleMs = 1_000;

export function addStatusCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'status',
    summary: 'show streams, lag, rates, devices and the roles that run',
    details:
      'Rates are measured over one second. PENDING waits for a worker, IN FLIGHT is being ' +
      'settled; with both at 0 and ACK FLOOR at LAST SEQ everything that was accepted has its ' +
      'outcome. When NATS or PostgreSQL is away, the other part is shown, with exit code 1; so it ' +
      'is when the audit misses messages (see audit).',
    examples: ['status', 'status --json'],
  }).action(async (_options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    // Where both are is known, or nothing is: that is no partial answer.
    for (const place of ['nats', 'database'] as const) locate(place, invocation.config);
    const status = await gatherStatus(statusSources(invocation), sampleMs, () => performance.now());
    const { terminal } = invocation;
    if (invocation.json) terminal.out(toJson(statusAsJson(status)));
    else terminal.out(describeStatus(status, terminal.columns));
    refuseAbsence(status);
    refuseFaults(status);
  });
}

function statusSources(invocation: Invocation): StatusSources {
  return {
    withNats: (work) => withNats(invocation, work),
    withDatabase: (work) => withDatabase(invocation, work),
    natsMonitorUrl: invocation.config.natsMonitorUrl,
  };
}

/** What is printed above is true, and yet somebody has to look. */
function refuseFaults({ database, audit }: Status): void {
  if ('error' in audit) throw audit.error;
  const faults = openIncidents(audit.value).map(incidentOf);
  if ('value' in database && database.value.alarms.length > 0)
    faults.push('There are alarms: tributary alarms list. When mended: tributary alarms clear.');
  if (faults.length > 0) throw new CliError(faults.join('\n'));
}

function refuseAbsence({ nats, database }: Status): void {
  const errors = [nats, database].flatMap((part) => ('error' in part ? [part.error] : []));
  if (errors.length === 0) return;
  const sentences = errors.map(sentenceOf).join('\n');
  // One of them still tells something; without both there is nothing to tell.
  throw new CliError(sentences, errors.length === 2 ? exitCodes.unavailable : exitCodes.failure);
}
