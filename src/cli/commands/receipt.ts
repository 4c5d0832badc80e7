import type { Command } from 'commander';
import { fateOf } from '../../model/fate.ts';
import { decodeReceipt } from '../../model/receipt.ts';
import { maintenanceDefaults } from '../../store/maintenance/maintenance-contract.ts';
import { selectDeliveries } from '../../store/receipts/select-deliveries.ts';
import { selectEvidence } from '../../store/receipts/select-evidence.ts';
import { streamName } from '../../stream/subjects.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';

export function addReceiptCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'receipt <id>',
    summary: 'tell what became of a message, by its receipt',
    details:
      'Takes the id, or the whole path that stands in Location. Neither the token nor the key is needed, and the ' +
      'reason of a quarantined message is the true one: this is for operators.',
    examples: ['receipt EAAB…'],
  }).action(async (text: string, _options: unknown, self: Command) => {
    const invocation = invocationOf(context, self);
    const receipt = decodeReceipt(text.slice(text.lastIndexOf('/') + 1));
    if (receipt === undefined)
      throw new CliError(
        `${text} is no receipt: it has 80 letters, digits, - and _, as a 202 gives it in Location.`,
        exitCodes.usage,
      );
    const { evidence, deliveries } = await withDatabase(invocation, async (pool) => ({
      evidence: (await selectEvidence(pool, streamName, [receipt]))[0],
      deliveries: await selectDeliveries(pool, receipt.identity, receipt.arrivedAtMs),
    }));
    if (evidence === undefined) throw new Error('the database said nothing of the receipt');
    const limits = { keepKeysMs: maintenanceDefaults.keepKeysHours * 3_600_000, nowMs: context.clock() };
    const fate = fateOf(receipt, evidence, limits);
    const told = {
      status: fate.status,
      time: evidence.row?.time ?? null,
      reason: evidence.quarantined?.reason ?? null,
      detail: evidence.quarantined?.detail ?? null,
      arrived_at: new Date(receipt.arrivedAtMs),
      stream_seq: receipt.seq,
      identity: receipt.identity,
      deliveries,
    };
    if (invocation.json) return invocation.terminal.out(toJson(told));
    const { status, time, reason, detail } = told;
    const more = status === 'quarantined' ? `: ${reason}, ${detail}` : time === null ? '' : ` at ${time}`;
    invocation.terminal.out(`${status}${more}`);
    for (const { route, status, attempts, at } of deliveries)
      invocation.terminal.out(
        `  ${route}: ${status}, attempts ${attempts}${at === undefined ? '' : `, ${at}`}`,
      );
  });
}
