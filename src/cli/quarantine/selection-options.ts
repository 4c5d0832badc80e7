import { type Command, InvalidArgumentError } from 'commander';
import { reasons } from '../../model/reasons.ts';
import type { QuarantineSelection } from '../../store/quarantine/selection.ts';
import { usageError } from '../exit-codes.ts';
import { parseSince } from '../output/duration.ts';
import { parseDeviceId, parseTenantId } from '../parsers.ts';

export type SelectionOptions = {
  readonly tenant?: string;
  readonly device?: string;
  readonly reason?: string;
  readonly id?: readonly bigint[];
  readonly before?: number;
  readonly all?: boolean;
};

/** Gives a command the options that say which quarantined messages it is for. */
export function addSelectionOptions(command: Command, clock: () => number): Command {
  return command
    .option('-r, --reason <reason>', 'those with this reason', parseReason)
    .option('-t, --tenant <tenant_id>', 'those of this tenant', parseTenantId)
    .option('-d, --device <device_id>', 'those of this device', parseDeviceId)
    .option('-i, --id <id...>', 'these, by their numbers in the list', collectIds)
    .option('-b, --before <when>', 'quarantined before a time, or so long ago: 24h, 7d', (text) =>
      parseSince(text, clock()),
    )
    .option('--all', 'all there are');
}

/** @throws CliError when nothing says which. */
export function selectionOf(options: SelectionOptions): QuarantineSelection {
  const { tenant, device, reason, id, before, all } = options;
  const selection = { tenantId: tenant, deviceId: device, reason, ids: id, beforeMs: before };
  const isOpen = Object.values(selection).every((part) => part === undefined);
  if (isOpen && all !== true)
    throw usageError('say which messages: --reason, --tenant, --device, --id, --before, or --all.');
  return selection;
}

/** As the database notes it. */
export function selectionText(selection: QuarantineSelection): string {
  const { tenantId, deviceId, reason, ids, beforeMs } = selection;
  return JSON.stringify({
    tenant_id: tenantId,
    device_id: deviceId,
    reason,
    ids: ids?.map(String),
    before: beforeMs === undefined ? undefined : new Date(beforeMs).toISOString(),
  });
}

export function parseReason(text: string): string {
  const reason = text.toUpperCase().replaceAll('-', '_');
  if (Object.hasOwn(reasons, reason)) return reason;
  throw new InvalidArgumentError(
    `There is no such reason. The reasons are ${Object.keys(reasons).join(', ')}.`,
  );
}

export function parseQuarantineId(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('Give the number from the list.');
}

/** Several behind one `--id`, or separated by commas. */
function collectIds(text: string, before: readonly bigint[] | undefined): bigint[] {
  return [...(before ?? []), ...text.split(',').map((part) => parseQuarantineId(part.trim()))];
}
