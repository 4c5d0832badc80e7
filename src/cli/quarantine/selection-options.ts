import type { Command } from 'commander';
import { reasons } from '../../model/reasons.ts';
import type { QuarantineSelection } from '../../store/quarantine/selection.ts';
import { parseDeviceId, parseTenantId } from '../parsers.ts';
import {
  addCommonSelection,
  type CommonSelectionOptions,
  oneOfReasons,
  requireSelection,
} from '../selection-options.ts';

export type SelectionOptions = CommonSelectionOptions & { readonly device?: string };

/** Gives a command the options that say which quarantined messages it is for. */
export function addSelectionOptions(command: Command, clock: () => number): Command {
  command
    .option('-r, --reason <reason>', 'those with this reason', parseReason)
    .option('-t, --tenant <tenant_id>', 'those of this tenant', parseTenantId)
    .option('-d, --device <device_id>', 'those of this device', parseDeviceId);
  return addCommonSelection(command, 'quarantined', clock);
}

/** @throws CliError when nothing says which. */
export function selectionOf(options: SelectionOptions): QuarantineSelection {
  const { tenant, device, reason, id, before, all } = options;
  const selection = { tenantId: tenant, deviceId: device, reason, ids: id, beforeMs: before };
  const whatToSay = 'say which messages: --reason, --tenant, --device, --id, --before, or --all.';
  return requireSelection(selection, all, whatToSay);
}

export const parseReason = oneOfReasons(Object.keys(reasons));
