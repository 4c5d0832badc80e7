import type { Device } from '../store/registry/types.ts';
import { formatAgo, formatTime } from './output/duration.ts';
import { inTableWords } from './output/json.ts';
import { describeLimit } from './output/limit.ts';
import { type Column, oneLine } from './output/table.ts';

export function deviceColumns(withTenant: boolean, nowMs: number): Column<Device>[] {
  return [
    ...(withTenant ? [{ title: 'TENANT', value: (row: Device) => row.tenantId }] : []),
    { title: 'DEVICE', value: (row) => row.deviceId },
    { title: 'SITE', value: (row) => row.siteId, minimum: 8 },
    { title: 'STATUS', value: shownStatus },
    {
      title: 'SINCE',
      value: (row) =>
        row.statusSince === undefined ? undefined : formatAgo(row.statusSince.getTime(), nowMs),
    },
    { title: 'LAST SEEN', value: (row) => formatAgo(row.lastSeenAt?.getTime(), nowMs) },
    { title: 'LIMIT', value: (row) => describeLimit(row.ratePerSecond, row.burst) },
  ];
}

export function deviceFields(device: Device, nowMs: number): [string, string][] {
  const when = (moment: Date) => `${formatTime(moment.getTime())} UTC, ${formatAgo(moment.getTime(), nowMs)}`;
  return [
    ['tenant', device.tenantId],
    ['device', device.deviceId],
    ['site', oneLine(device.siteId)],
    [
      'status',
      device.statusSince === undefined
        ? shownStatus(device)
        : `${shownStatus(device)} since ${when(device.statusSince)}`,
    ],
    ['last seen', device.lastSeenAt === undefined ? 'never' : when(device.lastSeenAt)],
    ['registered', when(device.createdAt)],
    ...(device.revokedAt === undefined ? [] : [['revoked', when(device.revokedAt)] as [string, string]]),
    ['token', describeToken(device, when)],
    ['rate limit', describeLimit(device.ratePerSecond, device.burst)],
    ['max sensors', device.maxSensors === undefined ? 'default' : String(device.maxSensors)],
  ];
}

/** In the words of the tables; dates as ISO 8601. */
export const deviceAsJson = (device: Device): Readonly<Record<string, unknown>> => inTableWords(device);

function shownStatus(device: Device): string {
  if (device.revokedAt !== undefined) return 'REVOKED';
  return device.status ?? 'no message yet';
}

function describeToken(device: Device, when: (moment: Date) => string): string {
  if (!device.hasToken) return 'none: tributary device rotate gives it one';
  if (device.previousTokenUntil === undefined) return 'set';
  return `set; the one before is valid until ${when(device.previousTokenUntil)}`;
}
