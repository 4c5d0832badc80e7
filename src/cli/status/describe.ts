import { type Audit, openIncidents } from '../../audit/take-audit.ts';
import type { DatabasePart, NatsPart, Part, Status } from '../../roles/status/gather.ts';
import type { RoleAnswer, StreamSample } from '../../roles/status/probe-nats.ts';
import { describeDurability } from '../../stream/durability.ts';
import { formatDuration } from '../output/duration.ts';
import { formatBytes, formatCount, formatRate } from '../output/number.ts';
import { type Column, formatFields, formatTable } from '../output/table.ts';
import { ownProgram } from '../own-program.ts';

/** The status for people. */
export function describeStatus(status: Status, width: number): string {
  const { nats, database, audit } = status;
  const blocks = [formatFields([...flowFields(nats, database), ['Audit', auditOf(audit)]])];
  if ('value' in nats) {
    blocks.push(formatTable(streamColumns, nats.value.sample.streams, width));
    blocks.push(
      nats.value.roles.length === 0
        ? `No role answers: run ${ownProgram.startAs}, or tributary gateway, mqtt and worker.`
        : formatTable(roleColumns(nats.value.roles), nats.value.roles, width),
    );
  }
  return blocks.join('\n\n');
}

function flowFields(nats: Part<NatsPart>, database: Part<DatabasePart>): [string, string][] {
  const fields: [string, string][] = [];
  if ('error' in nats) fields.push(['NATS', 'away']);
  else fields.push(['NATS', `${nats.value.sample.server}, accepted ${rateOf(nats.value.acceptedPerSecond)}`]);
  if ('value' in nats && nats.value.durability !== undefined)
    fields.push(['Durability', describeDurability(nats.value.durability)]);
  if ('value' in nats) fields.push(['Flow', flowOf(nats.value.roles)]);
  if ('error' in database) {
    fields.push(['PostgreSQL', 'away']);
    return fields;
  }
  const { totals, devices, alarms, storedPerSecond, quarantinedPerSecond } = database.value;
  if (alarms.length > 0) fields.push(['Alarms', alarms.map(({ detail }) => detail).join('\n')]);
  fields.push([
    'PostgreSQL',
    `stored ${rateOf(storedPerSecond)}, quarantined ${rateOf(quarantinedPerSecond)}`,
  ]);
  const { stored, duplicates, quarantined } = totals;
  const counts = [
    `${formatCount(Number(stored))} stored`,
    `${formatCount(Number(duplicates))} duplicates`,
    `${formatCount(Number(quarantined))} quarantined`,
  ];
  fields.push(['In all', counts.join(', ')]);
  const { tenants, online, stale, offline, silent } = devices;
  fields.push([
    'Devices',
    `${counted(devices.devices, 'device')} of ${counted(tenants, 'tenant')}: ${formatCount(online)} online, ` +
      `${formatCount(stale)} stale, ${formatCount(offline)} offline,\n${formatCount(silent)} without a message yet`,
  ]);
  return fields;
}

function auditOf(audit: Part<Audit>): string {
  if ('error' in audit) return 'unknown';
  const { accepted, internal, inFlight, unaccounted } = audit.value.total;
  // Canaries are among what was accepted and in no other count here.
  const canaries = internal === 0n ? '' : ` (${formatCount(Number(internal))} of them canaries)`;
  const counts = `${formatCount(Number(accepted))} accepted${canaries}, ${formatCount(Number(inFlight))} in flight`;
  const gone = `${formatCount(Number(unaccounted))} unaccounted`;
  if (unaccounted === 0n) return `${counts}, ${gone}`;
  const isOpen = openIncidents(audit.value).length > 0;
  return isOpen ? `RED: ${gone}; ${counts}` : `${counts}, ${gone} (acknowledged)`;
}

/** What the gateways' canaries say; where several differ, the worst. */
export function flowOf(roles: readonly RoleAnswer[]): string {
  const gateways = roles.filter(({ flowing }) => typeof flowing === 'boolean');
  if (gateways.length === 0) return 'unknown: no gateway answers';
  const stuck = gateways.filter(({ flowing }) => flowing === false).map(({ id }) => id);
  if (stuck.length > 0) return `no, by ${stuck.join(', ')}: GET /flow there says why`;
  const times = gateways.flatMap(({ doorToRowMs }) => (typeof doorToRowMs === 'number' ? doorToRowMs : []));
  return times.length === 0 ? 'yes, unmeasured' : `yes, door to row ${Math.max(...times)} ms`;
}

const streamColumns: readonly Column<StreamSample>[] = [
  { title: 'STREAM', value: ({ name }) => name },
  { title: 'MESSAGES', value: ({ stream }) => countOr(stream?.state.messages, 'missing'), align: 'right' },
  { title: 'BYTES', value: ({ stream }) => stream && formatBytes(stream.state.bytes), align: 'right' },
  { title: 'LIMIT', value: ({ stream }) => stream && formatBytes(stream.maxBytes), align: 'right' },
  { title: 'LAST SEQ', value: ({ stream }) => countOr(stream?.state.lastSeq), align: 'right' },
  { title: 'ACK FLOOR', value: ({ consumer }) => countOr(consumer?.ackFloorSeq), align: 'right' },
  { title: 'PENDING', value: ({ consumer }) => countOr(consumer?.pending), align: 'right' },
  { title: 'IN FLIGHT', value: ({ consumer }) => countOr(consumer?.ackPending), align: 'right' },
];

/** Host and version only where they differ: then they matter. */
function roleColumns(roles: readonly RoleAnswer[]): Column<RoleAnswer>[] {
  const differ = (of: (role: RoleAnswer) => string) => new Set(roles.map(of)).size > 1;
  const version: Column<RoleAnswer> = { title: 'VERSION', value: (role) => role.version };
  const host: Column<RoleAnswer> = { title: 'HOST', value: (role) => role.host, minimum: 8 };
  return [
    { title: 'ROLE', value: ({ role }) => role },
    { title: 'ID', value: ({ id }) => id },
    { title: 'UP', value: ({ uptimeMs }) => formatDuration(uptimeMs) },
    ...(differ((role) => role.version) ? [version] : []),
    ...(differ((role) => role.host) ? [host] : []),
    { title: 'STATE', value: describeState, minimum: 10 },
  ];
}

const common: ReadonlySet<string> = new Set([
  'role',
  'id',
  'uptimeMs',
  'version',
  'host',
  'pid',
  'rssBytes',
  'cpuMs',
]);

/** What a role adds of itself: `{ inFlight: 3, registryFresh: true }` reads "in flight 3, registry fresh yes". */
function describeState(answer: RoleAnswer): string | undefined {
  const parts = Object.entries(answer)
    .filter(([name]) => !common.has(name))
    .flatMap(([name, value]) => {
      const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      if (typeof value === 'boolean') return [`${words} ${value ? 'yes' : 'no'}`];
      if (typeof value === 'number') return [`${words} ${formatCount(value)}`];
      return typeof value === 'string' ? [`${words} ${value}`] : [];
    });
  return parts.length === 0 ? undefined : parts.join(', ');
}

function rateOf(perSecond: number | undefined): string {
  return perSecond === undefined ? '—' : `${formatRate(perSecond)}/s`;
}

function countOr(value: number | undefined, otherwise?: string): string | undefined {
  return value === undefined ? otherwise : formatCount(value);
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
