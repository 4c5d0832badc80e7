import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { type Audit, takeAudit } from '../../audit/take-audit.ts';
import {
  type DeviceTotals,
  type FlowTotals,
  selectDeviceTotals,
  selectFlowTotals,
} from '../../store/listings/flow-totals.ts';
import { type Alarm, listAlarms } from '../../store/listings/list-alarms.ts';
import { type Durability, readDurability } from '../../stream/durability.ts';
import { streamName } from '../../stream/subjects.ts';
import { askRoles, type NatsSample, type RoleAnswer, sampleStreams } from './probe-nats.ts';

/** A part of the answer, or why there is none. */
export type Part<T> = { readonly value: T } | { readonly error: unknown };

export interface NatsPart {
  readonly sample: NatsSample;
  readonly roles: readonly RoleAnswer[];
  /** Undefined: the stream was made anew in between. */
  readonly acceptedPerSecond: number | undefined;
  /** Undefined: there is no stream. */
  readonly durability: Durability | undefined;
}

export interface DatabasePart {
  readonly totals: FlowTotals;
  readonly devices: DeviceTotals;
  readonly alarms: readonly Alarm[];
  readonly storedPerSecond: number;
  readonly quarantinedPerSecond: number;
}

export interface Status {
  readonly nats: Part<NatsPart>;
  readonly database: Part<DatabasePart>;
  /** Needs both. */
  readonly audit: Part<Audit>;
}

/** Where the status comes from. Who holds connections lends them; a command opens and closes its own. */
export interface StatusSources {
  readonly withNats: <T>(work: (connection: NatsConnection) => Promise<T>) => Promise<T>;
  readonly withDatabase: <T>(work: (pool: pg.Pool) => Promise<T>) => Promise<T>;
  /** The NATS server's monitoring address: without it the weaker durability is assumed. */
  readonly natsMonitorUrl: string | undefined;
}

/** Samples NATS and the database twice, `sampleMs` apart; one that cannot be reached leaves the other's answer. */
export async function gatherStatus(
  { withNats, withDatabase, natsMonitorUrl }: StatusSources,
  sampleMs: number,
  now: () => number,
): Promise<Status> {
  const [nats, database, audit] = await Promise.all([
    part(withNats((connection) => probeNats(connection, natsMonitorUrl, sampleMs, now))),
    part(withDatabase((pool) => probeDatabase(pool, sampleMs, now))),
    part(withDatabase((pool) => withNats((nc) => takeAudit({ nc, pool, stream: streamName })))),
  ]);
  return { nats, database, audit };
}

async function probeNats(
  connection: NatsConnection,
  natsMonitorUrl: string | undefined,
  sampleMs: number,
  now: () => number,
): Promise<NatsPart> {
  const before = await sampleStreams(connection);
  const startedAt = now();
  const [roles] = await Promise.all([askRoles(connection), Bun.sleep(sampleMs)]);
  const sample = await sampleStreams(connection);
  const durability = await readDurability(connection, streamName, natsMonitorUrl);
  return { sample, roles, durability, acceptedPerSecond: acceptedRate(before, sample, now() - startedAt) };
}

function acceptedRate(before: NatsSample, after: NatsSample, elapsedMs: number): number | undefined {
  const [old, current] = [before, after].map(
    (each) => each.streams.find(({ name }) => name === streamName)?.stream,
  );
  if (old === undefined || current === undefined || old.created !== current.created) return undefined;
  return ((current.state.lastSeq - old.state.lastSeq) * 1_000) / elapsedMs;
}

async function probeDatabase(pool: pg.Pool, sampleMs: number, now: () => number): Promise<DatabasePart> {
  const before = await selectFlowTotals(pool, streamName);
  const startedAt = now();
  const [devices, alarms] = await Promise.all([
    selectDeviceTotals(pool),
    listAlarms(pool),
    Bun.sleep(sampleMs),
  ]);
  const totals = await selectFlowTotals(pool, streamName);
  const perSecond = (count: bigint) => (Math.max(0, Number(count)) * 1_000) / (now() - startedAt);
  return {
    totals,
    devices,
    alarms,
    storedPerSecond: perSecond(totals.stored - before.stored),
    quarantinedPerSecond: perSecond(totals.quarantined - before.quarantined),
  };
}

async function part<T>(work: Promise<T>): Promise<Part<T>> {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
}
