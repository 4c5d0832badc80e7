import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import { type Audit, takeAudit } from '../../audit/take-audit.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { type DeviceTotals, selectDeviceTotals } from '../../store/listings/flow-totals.ts';
import { type Alarm, listAlarms } from '../../store/listings/list-alarms.ts';
import { type Durability, readDurability } from '../../stream/durability.ts';
import { streamName } from '../../stream/subjects.ts';
import { natsAnswers } from '../servers/answers.ts';
import { type FlowRates, flowRates, type RolesSample } from './flow-rates.ts';
import type { Part } from './gather.ts';
import { askRoles, type NatsSample, sampleStreams } from './probe-nats.ts';

export interface LiveNats extends RolesSample {
  readonly sample: NatsSample;
  readonly durability: Durability | undefined;
  /** Undefined: there is one sample only. */
  readonly rates: FlowRates | undefined;
}

export interface LiveDatabase {
  readonly devices: DeviceTotals;
  readonly alarms: readonly Alarm[];
}

export interface LiveStatus {
  /** Ms since the epoch. */
  readonly atMs: number;
  readonly nats: Part<LiveNats>;
  readonly database: Part<LiveDatabase>;
  readonly audit: Part<Audit>;
}

export interface LiveStatusOptions {
  /** Called again until it succeeds. */
  readonly connectNats: () => Promise<NatsConnection>;
  readonly pool: pg.Pool;
  readonly natsMonitorUrl: string | undefined;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly wallClock: () => number;
}

export interface LiveStatusSource {
  /** Looks once. Takes no more than a few seconds, whoever is away; never throws. */
  look(): Promise<LiveStatus>;
  close(): Promise<void>;
}

/** How long a look may wait for a server. */
const lookMs = 3_000;
/** What costs the database something is asked this rarely. */
const slowEveryMs = 5_000;

/** Looks again and again over connections that it keeps; a server that goes away leaves the other's part. */
export function createLiveStatus(options: LiveStatusOptions): LiveStatusSource {
  const { pool, now, wallClock } = options;
  const nats = createNatsLook(options);
  let slow: { readonly atMs: number; readonly parts: Promise<Pick<LiveStatus, 'database' | 'audit'>> };
  const slowParts = () => {
    if (slow !== undefined && now() - slow.atMs < slowEveryMs) return slow.parts;
    slow = { atMs: now(), parts: lookAtDatabase(pool, nats.current) };
    return slow.parts;
  };
  return {
    async look() {
      const [natsPart, parts] = await Promise.all([part(nats.look()), slowParts()]);
      // What failed is asked again at once.
      if ('error' in parts.database || 'error' in parts.audit) slow = { ...slow, atMs: -slowEveryMs };
      return { atMs: wallClock(), nats: natsPart, ...parts };
    },
    close: nats.close,
  };
}

function createNatsLook({ connectNats, natsMonitorUrl, now }: LiveStatusOptions) {
  let connection: NatsConnection | undefined;
  let connecting: Promise<NatsConnection> | undefined;
  let last: RolesSample | undefined;
  const connect = async (): Promise<NatsConnection> => {
    connecting ??= connectNats().finally(() => {
      connecting = undefined;
    });
    connection = await connecting;
    return connection;
  };
  return {
    current: () => connection,
    async look(): Promise<LiveNats> {
      const nc = connection ?? (await connect());
      if (!(await natsAnswers(nc))) throw new Error('NATS does not answer');
      const [roles, sample, durability] = await Promise.all([
        askRoles(nc),
        sampleStreams(nc),
        readDurability(nc, streamName, natsMonitorUrl),
      ]);
      const taken = { atMs: now(), roles };
      const rates = last === undefined ? undefined : flowRates(last, taken);
      last = taken;
      return { ...taken, sample, durability, rates };
    },
    close: async () => {
      const nc = connection ?? (await connecting?.catch(() => undefined));
      await nc?.close();
    },
  };
}

async function lookAtDatabase(
  pool: pg.Pool,
  nats: () => NatsConnection | undefined,
): Promise<Pick<LiveStatus, 'database' | 'audit'>> {
  const audit = async (): Promise<Audit> => {
    const nc = nats();
    if (nc === undefined) throw new Error('NATS has not been reached yet');
    return takeAudit({ nc, pool, stream: streamName });
  };
  const database = async (): Promise<LiveDatabase> => {
    const [devices, alarms] = await Promise.all([selectDeviceTotals(pool), listAlarms(pool)]);
    return { devices, alarms };
  };
  const [databasePart, auditPart] = await Promise.all([part(database()), part(audit())]);
  return { database: databasePart, audit: auditPart };
}

async function part<T>(work: Promise<T>): Promise<Part<T>> {
  try {
    return {
      value: await withDeadline(work, lookMs, () => {
        throw new Error(`no answer within ${lookMs / 1_000} s`);
      }),
    };
  } catch (error) {
    return { error };
  }
}
