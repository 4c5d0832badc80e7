import type { Command } from 'commander';
import { reasons } from '../../model/reasons.ts';
import {
  findQuarantined,
  listQuarantine,
  type QuarantineDetails,
  type QuarantineEntry,
} from '../../store/listings/list-quarantine.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, defineGroup, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { printListing } from '../listing.ts';
import { formatAgo, parseSince } from '../output/duration.ts';
import { toJson } from '../output/json.ts';
import { type Column, formatFields, oneLine } from '../output/table.ts';
import { parseDeviceId, parseTenantId, wholeNumber } from '../parsers.ts';
import { parseReason } from '../quarantine/selection-options.ts';
import { parseListedId } from '../selection-options.ts';
import { addQuarantineMend } from './quarantine-mend.ts';
import { addQuarantinePurge } from './quarantine-purge.ts';
import { addQuarantineReplay } from './quarantine-replay.ts';
import { addQuarantineStats } from './quarantine-stats.ts';

interface ListOptions {
  readonly tenant?: string;
  readonly device?: string;
  readonly reason?: string;
  readonly since?: number;
  readonly limit: number;
}

export function addQuarantineCommands(program: Command, context: CliContext): void {
  const quarantine = defineGroup(program, 'quarantine', {
    summary: 'look at messages that were not accepted, mend and replay them',
    examples: ['quarantine list --since 1h', 'quarantine replay --reason UNREGISTERED_DEVICE'],
  });
  addList(quarantine, context);
  addShow(quarantine, context);
  addQuarantineMend(quarantine, context);
  addQuarantineReplay(quarantine, context);
  addQuarantineStats(quarantine, context);
  addQuarantinePurge(quarantine, context);
}

function addList(quarantine: Command, context: CliContext): void {
  defineCommand(quarantine, {
    usage: 'list',
    summary: 'list what was quarantined, newest first, and why',
    details: 'docs/reference/reasons.md says what each reason means and what to do.',
    examples: ['quarantine list --since 1h', 'quarantine list --tenant demo --reason TOKEN_INVALID'],
  })
    .option('-t, --tenant <tenant_id>', 'of this tenant only', parseTenantId)
    .option('-d, --device <device_id>', 'of this device only', parseDeviceId)
    .option('-r, --reason <reason>', 'for this reason only', parseReason)
    .option('-s, --since <when>', 'not older: 15m, 24h, 7d or a time', (text) =>
      parseSince(text, context.clock()),
    )
    .option('-n, --limit <n>', 'so many at most', wholeNumber(1, 100_000), 20)
    .action(async (options: ListOptions, command: Command) => {
      const invocation = invocationOf(context, command);
      const rows = await withDatabase(invocation, (pool) =>
        listQuarantine(pool, {
          tenantId: options.tenant,
          deviceId: options.device,
          reason: options.reason,
          sinceMs: options.since,
          limit: options.limit,
        }),
      );
      printListing(invocation, {
        rows,
        columns: entryColumns(context.clock()),
        limit: options.limit,
        empty: 'Nothing is quarantined here.',
      });
    });
}

function addShow(quarantine: Command, context: CliContext): void {
  defineCommand(quarantine, {
    usage: 'show',
    summary: 'show one quarantined message as it came, without its token',
    examples: ['quarantine show 42'],
  })
    .argument('<id>', 'its number in the list', parseListedId)
    .action(async (id: bigint, _options: unknown, command: Command) => {
      const invocation = invocationOf(context, command);
      const found = await withDatabase(invocation, (pool) => findQuarantined(pool, id));
      if (found === undefined) {
        throw new CliError(`nothing is quarantined under ${id}: tributary quarantine list shows what is.`);
      }
      invocation.terminal.out(
        invocation.json ? toJson(detailsAsJson(found)) : formatFields(detailFields(found, context.clock())),
      );
    });
}

function entryColumns(nowMs: number): Column<QuarantineEntry>[] {
  return [
    { title: 'ID', value: (row) => row.quarantine_id.toString(), align: 'right' },
    { title: 'WHEN', value: (row) => formatAgo(Date.parse(row.quarantined_at), nowMs) },
    { title: 'TENANT', value: (row) => row.tenant_id ?? undefined },
    { title: 'DEVICE', value: (row) => row.device_id ?? undefined },
    { title: 'REASON', value: (row) => row.reason },
    { title: 'DETAIL', value: (row) => row.detail, minimum: 12 },
  ];
}

function detailFields(found: QuarantineDetails, nowMs: number): [string, string][] {
  const when = (iso: string) =>
    `${iso.replace('T', ' ').slice(0, 23)} UTC, ${formatAgo(Date.parse(iso), nowMs)}`;
  return [
    ['id', found.quarantine_id.toString()],
    ['reason', `${found.reason}: ${meaningOf(found.reason)}`],
    ['detail', oneLine(found.detail)],
    ...(found.sqlstate === null ? [] : [['sqlstate', found.sqlstate] as [string, string]]),
    ['tenant', oneLine(found.tenant_id ?? '—')],
    ['device', oneLine(found.device_id ?? '—')],
    ['msg_type', oneLine(found.msg_type ?? '—')],
    ['arrived', when(found.arrived_at)],
    ['quarantined', when(found.quarantined_at)],
    ['subject', `${oneLine(found.subject)}, stream sequence ${found.stream_seq}`],
    ['identity', `${found.identity} (${found.identity_kind})`],
    [
      'envelope',
      oneLine(textOf(found.envelope) ?? `not UTF-8, in base64: ${found.envelope.toString('base64')}`),
    ],
    ...mendedFields(found, when),
  ];
}

function mendedFields(
  { mended_payload: payload, mended_by: by, mended_at: at }: QuarantineDetails,
  when: (iso: string) => string,
): [string, string][] {
  if (payload === null || at === null) return [];
  return [
    ['mended', `${when(at)}, by ${oneLine(by ?? 'unknown')}`],
    ['with payload', oneLine(payload)],
  ];
}

function detailsAsJson(found: QuarantineDetails): unknown {
  const { envelope, ...rest } = found;
  const text = textOf(envelope);
  return {
    ...rest,
    ...(text === undefined ? { envelope_base64: envelope.toString('base64') } : { envelope: text }),
  };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function meaningOf(reason: string): string {
  return Object.entries(reasons).find(([code]) => code === reason)?.[1] ?? 'a reason of another version';
}
