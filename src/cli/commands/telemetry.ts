import type { Command } from 'commander';
import { listTelemetry, type TelemetryRow } from '../../store/listings/list-telemetry.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { printListing } from '../listing.ts';
import { parseSince } from '../output/duration.ts';
import { JsonText } from '../output/json.ts';
import { showJsonValue } from '../output/json-value.ts';
import type { Column } from '../output/table.ts';
import { parseDeviceId, parseTenantId, wholeNumber } from '../parsers.ts';

interface Options {
  readonly tenant?: string;
  readonly device?: string;
  readonly since?: number;
  readonly limit: number;
}

export function addTelemetryCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'telemetry',
    summary: 'show the last readings',
    details: 'Newest first, by the time the device gave. Times are UTC.',
    examples: ['telemetry --tenant demo', 'telemetry --tenant demo --device thermometer-1 --since 1h --json'],
  })
    .option('-t, --tenant <tenant_id>', 'of this tenant only', parseTenantId)
    .option('-d, --device <device_id>', 'of this device only', parseDeviceId)
    .option('-s, --since <when>', 'not older: 15m, 24h, 7d or a time', (text) =>
      parseSince(text, context.clock()),
    )
    .option('-n, --limit <n>', 'so many at most', wholeNumber(1, 100_000), 20)
    .action(async (options: Options, command: Command) => {
      const invocation = invocationOf(context, command);
      const rows = await withDatabase(invocation, (pool) =>
        listTelemetry(pool, {
          tenantId: options.tenant,
          deviceId: options.device,
          sinceMs: options.since,
          limit: options.limit,
        }),
      );
      printListing(invocation, {
        rows,
        columns: telemetryColumns(options.tenant === undefined, context.clock()),
        toJson: (row) => ({
          ...row,
          metrics: new JsonText(row.metrics),
          extra: row.extra === null ? null : new JsonText(row.extra),
        }),
        limit: options.limit,
        empty:
          'No readings here yet. Devices that are not known or not right end up in: tributary quarantine list',
      });
    });
}

function telemetryColumns(withTenant: boolean, nowMs: number): Column<TelemetryRow>[] {
  return [
    { title: 'TIME (UTC)', value: (row) => shortTime(row.time, nowMs) },
    ...(withTenant ? [{ title: 'TENANT', value: (row: TelemetryRow) => row.tenant_id }] : []),
    { title: 'DEVICE', value: (row) => row.device_id },
    { title: 'SEQ', value: (row) => row.seq?.toString(), align: 'right' },
    {
      title: 'METRICS',
      value: (row) =>
        row.msg_type === 'heartbeat' && row.metrics === '{}' ? 'heartbeat' : showJsonValue(row.metrics),
      minimum: 20,
    },
  ];
}

/** `2026-01-31 12:00:00.123` out of ISO 8601 with microseconds; `12:00:00.123` on the same day. */
function shortTime(iso: string, nowMs: number): string {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  return iso.startsWith(today) ? iso.slice(11, 23) : iso.replace('T', ' ').slice(0, 23);
}
