import type { Command } from 'commander';
import { deadLetterReasons } from '../../model/dead-letter.ts';
import type { DeadLetterSelection } from '../../store/routes/dead-letters/selection.ts';
import { parseRouteName, parseTenantId } from '../parsers.ts';
import {
  addCommonSelection,
  type CommonSelectionOptions,
  oneOfReasons,
  requireSelection,
} from '../selection-options.ts';

export type SelectionOptions = CommonSelectionOptions & { readonly route?: string };

/** Gives a command the options that say which dead letters it is for. */
export function addSelectionOptions(command: Command, clock: () => number): Command {
  command
    .option('-t, --tenant <tenant_id>', 'those of this tenant', parseTenantId)
    .option('--route <name>', 'those of routes with this name', parseRouteName)
    .option('-r, --reason <reason>', 'those with this reason', parseDeadReason);
  return addCommonSelection(command, 'dead', clock);
}

/** @throws CliError when nothing says which. */
export function selectionOf(options: SelectionOptions): DeadLetterSelection {
  const { tenant, route, reason, id, before, all } = options;
  const selection = { tenantId: tenant, route, reason, ids: id, beforeMs: before };
  const whatToSay = 'say which dead letters: --tenant, --route, --reason, --id, --before, or --all.';
  return requireSelection(selection, all, whatToSay);
}

export const parseDeadReason = oneOfReasons(deadLetterReasons);
