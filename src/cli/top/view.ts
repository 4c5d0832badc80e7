import { openIncidents } from '../../audit/take-audit.ts';
import { sentenceOf } from '../../lib/sentence-of.ts';
import type { AuditedCounts } from '../../model/audited-counts.ts';
import type { FlowRates, SourceRates } from '../../roles/status/flow-rates.ts';
import type { LiveNats, LiveStatus } from '../../roles/status/live-status.ts';
import type { RoleAnswer, StreamSample } from '../../roles/status/probe-nats.ts';
import { formatDuration, formatTime } from '../output/duration.ts';
import { formatBytes, formatCount, formatRate } from '../output/number.ts';
import { type Column, cut, formatTable } from '../output/table.ts';
import { flowOf } from '../status/describe.ts';
import type { History } from './history.ts';

/** One line, and how it stands out. */
export interface Line {
  readonly text: string;
  readonly style?: 'title' | 'alarm' | 'faint';
}

export interface ViewOptions {
  readonly columns: number;
  /** Lines at most: roles that do not fit are counted. */
  readonly rows: number;
  readonly histories: Readonly<Record<'in' | 'out' | 'backlog', History>>;
  /** The last line; absent where nobody can press a key. */
  readonly footer?: string;
}

/** Always shown; others, a bridge's, where they have taken anything. */
const sources = ['http', 'batch', 'mqtt'];
const nothing: SourceRates = { accepted: 0, duplicate: 0, refused: 0 };
const barsWidth = 36;

/** Everything on one page. */
export function viewOf(status: LiveStatus, options: ViewOptions): Line[] {
  const { columns, rows, footer } = options;
  const live = 'value' in status.nats ? status.nats.value : undefined;
  const head = [
    { text: headline(status), style: 'title' } as const,
    ...problems(status),
    ...(live === undefined ? [] : summary(live, status)),
  ];
  const body =
    live === undefined ? [] : [...flowLines(live, options), { text: '' }, ...streamLines(live, columns)];
  const foot = footer === undefined ? [] : [{ text: footer, style: 'faint' } as const];
  const above = [...head, ...body];
  const left = rows - above.length - foot.length - 1;
  const roles = live === undefined ? [] : roleLines(live, columns, left);
  return [...above, ...(roles.length === 0 ? [] : [{ text: '' }]), ...roles, ...foot]
    .slice(0, rows)
    .map((line) => ({ ...line, text: cut(line.text, columns) }));
}

function headline({ atMs, nats }: LiveStatus): string {
  const where = 'value' in nats ? nats.value.sample.server : 'NATS away';
  return `Tributary  ${formatTime(atMs)} UTC  ${where}`;
}

function problems({ nats, database, audit }: LiveStatus): Line[] {
  const lines: string[] = [];
  if ('error' in nats) lines.push(`NATS: ${sentenceOf(nats.error)}`);
  if ('error' in database) lines.push(`PostgreSQL: ${sentenceOf(database.error)}`);
  else lines.push(...database.value.alarms.map(({ detail }) => `Alarm: ${detail}`));
  if ('value' in audit && openIncidents(audit.value).length > 0)
    lines.push(`${formatCount(Number(audit.value.total.unaccounted))} unaccounted: see tributary audit`);
  return lines.slice(0, 3).map((text) => ({ text, style: 'alarm' }));
}

function summary({ roles, durability, rates }: LiveNats, { audit, database }: LiveStatus): Line[] {
  const total: AuditedCounts | undefined = 'value' in audit ? audit.value.total : undefined;
  const counts = [
    `unaccounted ${total === undefined ? '—' : formatCount(Number(total.unaccounted))}`,
    `in flight ${total === undefined ? '—' : formatCount(Number(total.inFlight))}`,
    `durability ${durability?.class ?? '—'}`,
  ];
  const measured = rates?.doorToRowMs;
  const ages = measured && `   stored within ${age(measured.p50)} (p50), ${age(measured.p99)} (p99)`;
  const lines = [`flow ${flowOf(roles)}${ages ?? ''}`, counts.join('   ')];
  if ('value' in database) {
    const { devices, online, stale, offline } = database.value.devices;
    const states = `${formatCount(online)} online, ${formatCount(stale)} stale, ${formatCount(offline)} offline`;
    lines.push(`devices ${formatCount(devices)}: ${states}`);
  }
  return [...lines.map((text) => ({ text })), { text: '' }];
}

/** What comes in on the left, what becomes of it on the right, and a while of both. */
function flowLines({ rates, sample }: LiveNats, { histories }: ViewOptions): Line[] {
  const seen = Object.keys(rates?.bySource ?? {}).filter((source) => !sources.includes(source));
  const left = [...sources, ...seen].map((source) =>
    sourceRow(source, rates && (rates.bySource[source] ?? nothing)),
  );
  const right = (['stored', 'duplicate', 'quarantined'] as const).map((verdict) =>
    pair(verdict, rates?.byVerdict[verdict]),
  );
  const title = `${'IN /s'.padEnd(12)}${'ACCEPTED'.padStart(10)}${'AGAIN'.padStart(8)}${'REFUSED'.padStart(9)}`;
  const table = left.map((row, index) => `${row}     ${right[index] ?? ''}`.trimEnd());
  const backlog = sample.streams[0]?.stream?.state.messages;
  const histogram = ([name, history, now]: readonly [string, History, string]) =>
    `${name.padEnd(12)}${now.padStart(10)}  ${history.bars(barsWidth)}`;
  return [
    { text: `${title}     OUT /s`, style: 'faint' },
    ...table.map((text) => ({ text })),
    { text: histogram(['all in', histories.in, rateOf(totalIn(rates))]) },
    { text: histogram(['all out', histories.out, rateOf(totalOut(rates))]) },
    { text: histogram(['backlog', histories.backlog, backlog === undefined ? '—' : formatCount(backlog)]) },
  ];
}

export function totalIn(rates: FlowRates | undefined): number | undefined {
  if (rates === undefined) return undefined;
  return Object.values(rates.bySource).reduce((sum, { accepted }) => sum + accepted, 0);
}

/** Canaries count here as they do not at the doors: they are no messages of anybody's. */
export function totalOut(rates: FlowRates | undefined): number | undefined {
  if (rates === undefined) return undefined;
  const { stored, duplicate, quarantined } = rates.byVerdict;
  return stored + duplicate + quarantined;
}

function sourceRow(source: string, rates: SourceRates | undefined): string {
  const cells = [rateOf(rates?.accepted), rateOf(rates?.duplicate), rateOf(rates?.refused)];
  const [accepted = '', again = '', refused = ''] = cells;
  return `${source.padEnd(12)}${accepted.padStart(10)}${again.padStart(8)}${refused.padStart(9)}`;
}

function pair(name: string, rate: number | undefined): string {
  return `${name.padEnd(12)}${rateOf(rate).padStart(10)}`;
}

function age(ms: number): string {
  return Number.isFinite(ms) ? formatDuration(ms) : 'minutes';
}

function rateOf(rate: number | undefined): string {
  return rate === undefined ? '—' : formatRate(rate);
}

const count = (value: number | undefined) => (value === undefined ? undefined : formatCount(value));
const streamColumns: readonly Column<StreamSample>[] = [
  { title: 'STREAM', value: ({ name }) => name },
  { title: 'MESSAGES', value: ({ stream }) => count(stream?.state.messages), align: 'right' },
  { title: 'BYTES', value: ({ stream }) => stream && formatBytes(stream.state.bytes), align: 'right' },
  { title: 'FULL', value: ({ stream }) => stream && fullness(stream), align: 'right' },
  { title: 'PENDING', value: ({ consumer }) => count(consumer?.pending), align: 'right' },
  { title: 'IN FLIGHT', value: ({ consumer }) => count(consumer?.ackPending), align: 'right' },
  { title: 'AGAIN', value: ({ consumer }) => count(consumer?.redelivered), align: 'right' },
];

function fullness({ state, maxBytes }: NonNullable<StreamSample['stream']>): string {
  return maxBytes <= 0 ? '—' : `${formatRate((100 * state.bytes) / maxBytes)} %`;
}

function streamLines({ sample }: LiveNats, columns: number): Line[] {
  return titled(formatTable(streamColumns, sample.streams, columns));
}

function roleLines({ roles, rates }: LiveNats, columns: number, rows: number): Line[] {
  if (roles.length === 0) return [{ text: 'No role answers.', style: 'alarm' }];
  if (rows < 2) return [];
  const fits = roles.length <= rows - 1;
  const shown = fits ? roles : roles.slice(0, Math.max(0, rows - 2));
  const lines = titled(formatTable(roleColumns(rates), shown, columns));
  return fits ? lines : [...lines, { text: `and ${roles.length - shown.length} more`, style: 'faint' }];
}

function roleColumns(rates: FlowRates | undefined): Column<RoleAnswer>[] {
  const cpu = ({ id }: RoleAnswer) => {
    const share = rates?.cpuById.get(id);
    return share === undefined ? undefined : `${Math.round(share * 100)} %`;
  };
  return [
    { title: 'ROLE', value: ({ role }) => role },
    { title: 'HOST', value: ({ host }) => host, minimum: 6 },
    { title: 'PID', value: ({ pid }) => String(pid), align: 'right' },
    { title: 'UP', value: ({ uptimeMs }) => formatDuration(uptimeMs), align: 'right' },
    { title: 'CPU', value: cpu, align: 'right' },
    { title: 'MEMORY', value: memoryOf, align: 'right' },
    { title: 'VERSION', value: ({ version }) => version },
  ];
}

function memoryOf({ rssBytes }: RoleAnswer): string | undefined {
  return rssBytes === undefined ? undefined : formatBytes(rssBytes);
}

function titled(table: string): Line[] {
  return table.split('\n').map((text, index) => (index === 0 ? { text, style: 'faint' } : { text }));
}
