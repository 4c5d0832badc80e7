import type { Command } from 'commander';
import { type QuarantineStats, selectQuarantineStats } from '../../store/quarantine/stats.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { printListing } from '../listing.ts';
import { formatBytes, formatCount } from '../output/number.ts';
import type { Column } from '../output/table.ts';
import { parseTenantId } from '../parsers.ts';

export function addQuarantineStats(quarantine: Command, context: CliContext): void {
  defineCommand(quarantine, {
    usage: 'stats',
    summary: 'count what was quarantined and what became of it',
    details:
      'By tenant and reason. HELD is there now; IN came in since the beginning; of these, EVICTED ' +
      'went because of the limits, REPLAYED into telemetry, PURGED by hand. The counters outlive ' +
      'the messages. Tenants that are not registered are counted together.',
    examples: ['quarantine stats', 'quarantine stats --tenant acme --json'],
  })
    .option('-t, --tenant <tenant_id>', 'of this tenant only', parseTenantId)
    .action(async (options: { readonly tenant?: string }, self: Command) => {
      const invocation = invocationOf(context, self);
      const rows = await withDatabase(invocation, (pool) => selectQuarantineStats(pool, options.tenant));
      printListing(invocation, { rows, columns, empty: 'Nothing was ever quarantined here.' });
    });
}

const count = (value: bigint | number) => formatCount(Number(value));

const columns: readonly Column<QuarantineStats>[] = [
  { title: 'TENANT', value: (row) => row.tenant_id ?? '(unknown)' },
  { title: 'REASON', value: (row) => row.reason },
  { title: 'HELD', value: (row) => count(row.held), align: 'right' },
  { title: 'SIZE', value: (row) => formatBytes(Number(row.held_bytes)), align: 'right' },
  { title: 'IN', value: (row) => count(row.quarantined), align: 'right' },
  { title: 'EVICTED', value: (row) => count(row.evicted), align: 'right' },
  { title: 'REPLAYED', value: (row) => count(row.replayed), align: 'right' },
  { title: 'PURGED', value: (row) => count(row.purged), align: 'right' },
];
