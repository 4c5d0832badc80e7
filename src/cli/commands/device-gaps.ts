import type { Command } from 'commander';
import { isoMicroseconds } from '../../lib/iso-microseconds.ts';
import type { MissingRange } from '../../model/gap-map.ts';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { showDevice } from '../../store/registry/show-device.ts';
import { type DeviceGaps, findGaps } from '../../store/series/find-gaps.ts';
import type { DeviceRange } from '../../store/series/select-numbers.ts';
import { gapsAsJson } from '../../store/series/view.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { formatTime, parseSince } from '../output/duration.ts';
import { toJson } from '../output/json.ts';
import { type Column, formatFields, formatTable } from '../output/table.ts';
import { parseDeviceId, parseTenantId } from '../parsers.ts';

interface Options {
  readonly from?: number;
  readonly to?: number;
}

const dayMs = 86_400_000;

export function addDeviceGaps(device: Command, context: CliContext): void {
  const parseMoment = (text: string): number => parseSince(text, context.clock());
  defineCommand(device, {
    usage: 'gaps',
    summary: 'show what is missing in the numbers (seq) of a device',
    details:
      'Missing ranges, late and repeated messages, and where the counter began again: of the last 24 hours, by the time the device gave. Times are UTC.',
    examples: ['device gaps acme sensor-1', 'device gaps acme sensor-1 --from 7d --to 1d --json'],
  })
    .argument('<tenant_id>', 'whose device', parseTenantId)
    .argument('<device_id>', 'which', parseDeviceId)
    .option(
      '--from <when>',
      'from here: 15m, 24h, 7d ago or a time; default: 24 hours before --to',
      parseMoment,
    )
    .option('--to <when>', 'to before here; default: now', parseMoment)
    .action(async (tenantId: TenantId, deviceId: DeviceId, options: Options, self: Command) => {
      const invocation = invocationOf(context, self);
      const toMs = options.to ?? context.clock();
      const range = { tenantId, deviceId, toMs, fromMs: options.from ?? toMs - dayMs };
      const gaps = await withDatabase(invocation, async (pool) => {
        const found = await findGaps(pool, range);
        // Says so where there is no such device.
        if (found.received + found.unnumbered === 0) await showDevice(pool, tenantId, deviceId);
        return found;
      });
      if (invocation.json) invocation.terminal.out(toJson(gapsAsJson(range, gaps)));
      else printGaps(invocation, range, gaps);
    });
}

function printGaps({ terminal }: Invocation, range: DeviceRange, gaps: DeviceGaps): void {
  terminal.out(formatFields(summary(range, gaps)));
  if (gaps.ranges.length > 0) terminal.out(`\n${formatTable(rangeColumns, gaps.ranges, terminal.columns)}`);
  for (const { timeUs, fromSeq, toSeq } of gaps.restarts)
    terminal.out(`The counter began again at ${shownTime(timeUs)}: ${fromSeq} was followed by ${toSeq}.`);
  if (gaps.truncated) terminal.note('There are more: these are the latest.');
}

function summary({ fromMs, toMs }: DeviceRange, gaps: DeviceGaps): [string, string][] {
  const count = (value: number): string => value.toLocaleString('en');
  return [
    ['time', `${formatTime(fromMs)} to ${formatTime(toMs)} UTC`],
    [
      'received',
      gaps.unnumbered === 0
        ? count(gaps.received)
        : `${count(gaps.received)}, and ${count(gaps.unnumbered)} without a seq`,
    ],
    ['missing', count(gaps.missing)],
    ['late', count(gaps.late)],
    ['repeated', count(gaps.repeated)],
    ['restarts', count(gaps.restarts.length)],
    ['last seq', gaps.lastSeq === undefined ? 'none' : String(gaps.lastSeq)],
  ];
}

const shownTime = (us: number): string => isoMicroseconds(us).replace('T', ' ').slice(0, 23);

const rangeColumns: Column<MissingRange>[] = [
  { title: 'FIRST', value: (range) => String(range.first), align: 'right' },
  { title: 'LAST', value: (range) => String(range.last), align: 'right' },
  { title: 'MISSING', value: (range) => range.count.toLocaleString('en'), align: 'right' },
  { title: 'AFTER (UTC)', value: (range) => shownTime(range.afterUs) },
  { title: 'BEFORE (UTC)', value: (range) => shownTime(range.beforeUs) },
];
