import type { JournalEntry } from '../journal.ts';
import { extraOf, identityOf, type ProveMessage } from '../load/message.ts';
import type { BrokerEvidence } from '../stack/broker.ts';
import type { Violation } from '../violation.ts';
import { type Forgotten, forgottenBy } from './forgotten.ts';
import type { QuarantineRow, Rows, StoredRow } from './rows.ts';

/** How many of each kind of end there are. */
export interface MessageCounts {
  readonly stored: number;
  readonly quarantined: number;
}

export interface MessagesFound {
  readonly violations: Violation[];
  readonly counts: MessageCounts;
  /** What the broker acknowledged and lost before any bridge had it: no violation of ours. */
  readonly forgotten: readonly Forgotten[];
}

/** INV row by row: what was answered against what is in the tables. @param broker of a stack where one gave the answers */
export function checkMessages(
  entries: readonly JournalEntry[],
  rows: Rows,
  broker?: BrokerEvidence,
): MessagesFound {
  const stored = Map.groupBy(rows.stored, ({ n }) => n);
  const quarantined = Map.groupBy(rows.quarantined, ({ n }) => n);
  const violations: Violation[] = [];
  const forgotten: Forgotten[] = [];
  for (const entry of entries) {
    const own = stored.get(entry.message.n) ?? [];
    const refused = quarantined.get(entry.message.n) ?? [];
    const lost = broker === undefined ? undefined : forgottenBy(entry, broker);
    const found = checkMessage(entry, own, refused, broker !== undefined);
    // Where it has its rows, the broker's loss was made good by a resend.
    if (lost !== undefined && found.some(({ kind }) => kind === 'lost')) forgotten.push(lost);
    violations.push(...found.filter(({ kind }) => kind !== 'lost' || lost === undefined));
  }
  const known = new Set(entries.map(({ message }) => message.n));
  for (const row of rows.stored)
    if (!known.has(row.n)) violations.push(foreign(`telemetry row ${row.position}`));
  for (const row of rows.quarantined)
    if (row.n === undefined || !known.has(row.n))
      violations.push(foreign(`quarantine row ${row.position}: ${row.reason}`));
  violations.push(...checkUnique(rows));
  const counts = { stored: rows.stored.length, quarantined: rows.quarantined.length };
  return { violations, counts, forgotten };
}

function checkMessage(
  entry: JournalEntry,
  stored: readonly StoredRow[],
  quarantined: readonly QuarantineRow[],
  bridged: boolean,
): Violation[] {
  const { message } = entry;
  const right = message.destiny === 'stored' ? stored : quarantined;
  const wrong = message.destiny === 'stored' ? quarantined : stored;
  const found: Violation[] = [];
  const told = toldOf(entry);
  const identity = identityOf(message);
  const add = (kind: Violation['kind'], what: string) =>
    found.push({ kind, what: `${told}: ${what}`, identity });
  if (entry.yes === 0) add('stuck', `no yes; the last answer was ${entry.lastWhy ?? 'none'}`);
  if (wrong.length > 0) add('misplaced', `${placeOf(message.destiny)} expected, but ${shown(wrong)}`);
  const { least, most } = boundsOf(entry, bridged);
  if (right.length < least && wrong.length === 0)
    add('lost', `${right.length} rows where ${least} were promised`);
  if (right.length > most)
    add('doubled', `${right.length} rows where at most ${most} can be: ${shown(right)}`);
  for (const row of stored) {
    const difference = differenceOf(row, message, identity);
    if (difference !== undefined) add('changed', difference);
  }
  for (const { reason } of quarantined)
    if (message.destiny !== 'stored' && reason !== message.destiny)
      add('misplaced', `quarantined as ${reason}`);
  return found;
}

/**
 * How many rows a message may have. What a broker delivers to a bridge again has no end that its answers would tell: only
 * an identity makes it one row.
 */
function boundsOf(
  { message, yes, unknown }: JournalEntry,
  bridged: boolean,
): { least: number; most: number } {
  // Each send is a message of its own: every yes is a row, and an unknown outcome may be one.
  const sends = bridged ? Number.POSITIVE_INFINITY : yes + unknown;
  if (message.class === 'none') return { least: yes, most: sends };
  // Quarantine keeps every sequence; JetStream may have dropped some of the resends.
  if (message.destiny !== 'stored') return { least: Math.min(yes, 1), most: sends };
  return { least: Math.min(yes, 1), most: Math.min(yes + unknown, 1) };
}

function differenceOf(
  row: StoredRow,
  message: ProveMessage,
  identity: string | undefined,
): string | undefined {
  const { device, metrics, msgType, seq, ts, key } = message;
  const wanted = { identity: identity ?? row.identity, tenantId: device.tenantId, deviceId: device.deviceId };
  const places = { siteId: device.siteId, msgType, seq, timeMs: ts ?? row.arrivedAtMs };
  for (const [name, value] of Object.entries({ ...wanted, ...places }) as [keyof StoredRow, unknown][]) {
    if (row[name] !== value) return `${name} is ${row[name]}, sent was ${value}`;
  }
  if (!isSame(JSON.parse(row.metrics), metrics)) return `metrics are ${row.metrics}`;
  const extra: unknown = row.extra === undefined ? undefined : JSON.parse(row.extra);
  // Over the batch and MQTT doors the key is part of the payload.
  const withKey = key === undefined ? {} : { msg_id: key };
  if (!isSame(extra, extraOf(message)) && !isSame(extra, { ...extraOf(message), ...withKey }))
    return `extra is ${row.extra ?? 'missing'}`;
  return undefined;
}

function isSame(value: unknown, wanted: Readonly<Record<string, unknown>>): boolean {
  return Bun.deepEquals(value, wanted, true);
}

/** No identity twice, and no stream position with two rows. */
function checkUnique({ stored, quarantined }: Rows): Violation[] {
  const found: Violation[] = [];
  for (const [identity, rows] of Map.groupBy(stored, (row) => row.identity)) {
    if (rows.length > 1)
      found.push({ kind: 'doubled', what: `identity ${identity} has ${shown(rows)}`, identity });
  }
  for (const [position, rows] of Map.groupBy([...stored, ...quarantined], (row) => row.position)) {
    if (rows.length > 1)
      found.push({ kind: 'doubled', what: `sequence ${position} has ${rows.length} rows` });
  }
  return found;
}

function toldOf({ message, attempts, yes, unknown }: JournalEntry): string {
  const { n, door, class: messageClass } = message;
  return `message ${n} (${door}, ${messageClass}; ${attempts} sends, ${yes} yes, ${unknown} unknown)`;
}

function placeOf(destiny: ProveMessage['destiny']): string {
  return destiny === 'stored' ? 'a row' : `quarantine as ${destiny}`;
}

function shown(rows: readonly (StoredRow | QuarantineRow)[]): string {
  return rows
    .map((row) =>
      'reason' in row ? `${row.reason} (${row.detail}) at ${row.position}` : `row ${row.position}`,
    )
    .join(', ');
}

function foreign(what: string): Violation {
  return { kind: 'foreign', what: `${what} is of no message that was sent` };
}
