import type { Command } from 'commander';
import { listSensors, type SensorRow } from '../../store/listings/list-sensors.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { printListing } from '../listing.ts';
import { formatAgo } from '../output/duration.ts';
import { JsonText } from '../output/json.ts';
import { showJsonValue } from '../output/json-value.ts';
import type { Column } from '../output/table.ts';
import { parseDeviceId, parseTenantId, wholeNumber } from '../parsers.ts';

interface Options {
  readonly tenant?: string;
  readonly device?: string;
  readonly limit: number;
}

export function addSensorsCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'sensors',
    summary: 'show the sensors that were discovered, with their latest values',
    details: 'A metric that a device sends for the first time becomes a sensor.',
    examples: ['sensors --tenant demo', 'sensors --tenant demo --device thermometer-1 --json'],
  })
    .option('-t, --tenant <tenant_id>', 'of this tenant only', parseTenantId)
    .option('-d, --device <device_id>', 'of this device only', parseDeviceId)
    .option('-n, --limit <n>', 'so many at most', wholeNumber(1, 100_000), 100)
    .action(async (options: Options, command: Command) => {
      const invocation = invocationOf(context, command);
      const rows = await withDatabase(invocation, (pool) =>
        listSensors(pool, { tenantId: options.tenant, deviceId: options.device, limit: options.limit }),
      );
      printListing(invocation, {
        rows,
        columns: sensorColumns(options.tenant === undefined, context.clock()),
        toJson: (row) => ({ ...row, latest: new JsonText(row.latest) }),
        limit: options.limit,
        empty: 'No sensors yet: the first reading of a device discovers them.',
      });
    });
}

function sensorColumns(withTenant: boolean, nowMs: number): Column<SensorRow>[] {
  return [
    ...(withTenant ? [{ title: 'TENANT', value: (row: SensorRow) => row.tenant_id }] : []),
    { title: 'DEVICE', value: (row) => row.device_id },
    { title: 'METRIC', value: (row) => row.metric, minimum: 24 },
    { title: 'TYPE', value: (row) => row.value_type },
    { title: 'LATEST', value: (row) => showJsonValue(row.latest), align: 'right', minimum: 8 },
    { title: 'UNIT', value: (row) => row.unit ?? undefined },
    { title: 'MEASURED', value: (row) => formatAgo(Date.parse(row.latest_time), nowMs) },
  ];
}
