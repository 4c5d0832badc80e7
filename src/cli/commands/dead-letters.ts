import type { Command } from 'commander';
import {
  type DeadLetterDetails,
  type DeadLetterEntry,
  findDeadLetter,
  listDeadLetters,
} from '../../store/routes/dead-letters/list-dead-letters.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { parseDeadReason } from '../dead-letters/selection-options.ts';
import { defineCommand, defineGroup, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { printListing } from '../listing.ts';
import { formatAgo, parseSince } from '../output/duration.ts';
import { JsonText, toJson } from '../output/json.ts';
import { showJsonValue } from '../output/json-value.ts';
import { formatCount } from '../output/number.ts';
import { type Column, formatFields, oneLine } from '../output/table.ts';
import { parseRouteName, parseTenantId, wholeNumber } from '../parsers.ts';
import { parseListedId } from '../selection-options.ts';
import { addDeadLettersPurge } from './dead-letters-purge.ts';
import { addDeadLettersReplay } from './dead-letters-replay.ts';

interface ListOptions {
  readonly tenant?: string;
  readonly route?: string;
  readonly reason?: string;
  readonly since?: number;
  readonly limit: number;
}

export function addDeadLettersCommands(program: Command, context: CliContext): void {
  const letters = defineGroup(program, 'dead-letters', {
    summary: 'look at what routes could not deliver, and replay it',
    examples: ['dead-letters list --since 1h', 'dead-letters replay --tenant acme --route alerts'],
  });
  addList(letters, context);
  addShow(letters, context);
  addDeadLettersReplay(letters, context);
  addDeadLettersPurge(letters, context);
}

function addList(letters: Command, context: CliContext): void {
  defineCommand(letters, {
    usage: 'list',
    summary: 'list what could not be delivered, newest first, and why',
    details: 'docs/routes.md says what each reason means.',
    examples: ['dead-letters list --since 1h', 'dead-letters list --tenant acme --reason GAVE_UP'],
  })
    .option('-t, --tenant <tenant_id>', 'of this tenant only', parseTenantId)
    .option('--route <name>', 'of routes with this name only', parseRouteName)
    .option('-r, --reason <reason>', 'for this reason only', parseDeadReason)
    .option('-s, --since <when>', 'not older: 15m, 24h, 7d or a time', (text) =>
      parseSince(text, context.clock()),
    )
    .option('-n, --limit <n>', 'so many at most', wholeNumber(1, 100_000), 20)
    .action(async (options: ListOptions, command: Command) => {
      const invocation = invocationOf(context, command);
      const { tenant, route, reason, since, limit } = options;
      const rows = await withDatabase(invocation, (pool) =>
        listDeadLetters(pool, { tenantId: tenant, route, reason, sinceMs: since, limit }),
      );
      printListing(invocation, {
        rows,
        columns: entryColumns(tenant === undefined, context.clock()),
        limit,
        empty: 'No dead letters here.',
      });
    });
}

function addShow(letters: Command, context: CliContext): void {
  defineCommand(letters, {
    usage: 'show',
    summary: 'show one dead letter and its message',
    examples: ['dead-letters show 42'],
  })
    .argument('<id>', 'its number in the list', parseListedId)
    .action(async (id: bigint, _options: unknown, command: Command) => {
      const invocation = invocationOf(context, command);
      const found = await withDatabase(invocation, (pool) => findDeadLetter(pool, id));
      if (found === undefined)
        throw new CliError(`no dead letter has the number ${id}: tributary dead-letters list shows them.`);
      invocation.terminal.out(
        invocation.json ? toJson(detailsAsJson(found)) : formatFields(detailFields(found, context.clock())),
      );
    });
}

function entryColumns(withTenant: boolean, nowMs: number): Column<DeadLetterEntry>[] {
  return [
    { title: 'ID', value: (row) => row.dead_letter_id.toString(), align: 'right' },
    { title: 'WHEN', value: (row) => formatAgo(Date.parse(row.dead_at), nowMs) },
    ...(withTenant ? [{ title: 'TENANT', value: (row: DeadLetterEntry) => row.tenant_id }] : []),
    { title: 'ROUTE', value: (row) => row.route_name },
    { title: 'REASON', value: (row) => row.reason },
    { title: 'TRIED', value: (row) => formatCount(row.attempts), align: 'right' },
    { title: 'DETAIL', value: (row) => row.detail, minimum: 12 },
  ];
}

function detailFields(found: DeadLetterDetails, nowMs: number): [string, string][] {
  const when = (iso: string) =>
    `${iso.replace('T', ' ').slice(0, 23)} UTC, ${formatAgo(Date.parse(iso), nowMs)}`;
  return [
    ['id', found.dead_letter_id.toString()],
    ['reason', found.reason],
    ['detail', oneLine(found.detail)],
    ['tenant', found.tenant_id],
    ['route', `${found.route_name} (number ${found.route_id})`],
    ['tried', formatCount(found.attempts)],
    ['since', when(found.first_at)],
    ['dead', when(found.dead_at)],
    ...messageFields(found, when),
  ];
}

function messageFields(found: DeadLetterDetails, when: (iso: string) => string): [string, string][] {
  if (found.kind === 'status') return [['status', showJsonValue(found.event ?? '{}')]];
  const identity: [string, string] = ['identity', found.identity ?? '—'];
  if (found.metrics === null) return [identity, ['message', 'not stored any more: it cannot be replayed']];
  return [
    identity,
    ['device', found.device_id ?? '—'],
    ['site', oneLine(found.site_id ?? '—')],
    ['msg_type', found.msg_type ?? '—'],
    ['time', when(found.time ?? '')],
    ['metrics', oneLine(found.metrics)],
    ...(found.extra === null ? [] : [['extra', oneLine(found.extra)] as [string, string]]),
  ];
}

function detailsAsJson(found: DeadLetterDetails): unknown {
  const asText = (text: string | null) => (text === null ? null : new JsonText(text));
  return {
    ...found,
    event: asText(found.event),
    metrics: asText(found.metrics),
    extra: asText(found.extra),
  };
}
