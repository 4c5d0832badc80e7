import type pg from 'pg';
import pino from 'pino';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import { encodeMsgId } from '../../../src/model/identity.ts';
import type { QuarantineLimits } from '../../../src/model/quarantine-limits.ts';
import { hashToken } from '../../../src/model/token.ts';
import { createPartitions } from '../../../src/store/partitions.ts';
import { createPool } from '../../../src/store/pool.ts';
import type { QuarantineSelection } from '../../../src/store/quarantine/selection.ts';
import { addDevice } from '../../../src/store/registry/add-device.ts';
import { addTenant } from '../../../src/store/registry/add-tenant.ts';
import { type RegistryFeed, startRegistryFeed } from '../../../src/store/registry-feed.ts';
import { inTransaction } from '../../../src/store/transaction.ts';
import type { PulledMessage } from '../../../src/stream/puller.ts';
import { decode } from '../../../src/worker/decode.ts';
import { createEpochs } from '../../../src/worker/epochs.ts';
import { judge } from '../../../src/worker/judge/judge.ts';
import { latestAtOnce } from '../../../src/worker/latest/latest-values.ts';
import { createPlans, type Plan } from '../../../src/worker/plan.ts';
import { createQuarantineRoom } from '../../../src/worker/quarantine-room.ts';
import { createRateLimiter, type RateLimiter } from '../../../src/worker/rate-limiter.ts';
import { dryRun } from '../../../src/worker/replay/dry-run.ts';
import { type MendOutcome, mend } from '../../../src/worker/replay/mend.ts';
import { type ReplayOptions, replay } from '../../../src/worker/replay/replay.ts';
import { createSettle, type Settled } from '../../../src/worker/settle.ts';
import { createTestDatabase, type TestDatabase } from '../../harness/postgres.ts';
import { options as decodeOptions, envelopeOf, type Loose, rawOf, token } from '../messages.ts';

export const log = pino({ level: 'silent' });
export const tenant = 't1' as TenantId;
export const device = 'd1' as DeviceId;
export const thresholds = { staleAfterMs: 300_000, offlineAfterMs: 1_800_000 };
export const ample: QuarantineLimits = {
  tenant: { rows: 1e9, bytes: 1e12 },
  unknown: { rows: 1e9, bytes: 1e12 },
};

/** A replay for whose messages somebody vouches. */
export const vouched = {
  vouch: true,
  note: { operator: 'ann', filter: '{}', vouchedBecause: 'ticket 17' },
} as const;

/** One message as a device would have sent it; the rest is as in `messages.ts`. */
export interface Sent {
  readonly seq: number;
  readonly payload?: Loose;
  readonly envelope?: Loose;
  readonly subject?: string;
  /** As an Idempotency-Key gives it. */
  readonly key?: { readonly identity: string; readonly bodyHash: string };
  readonly epoch?: string;
}

/** A database, a registry and a worker's real way from decoding to the row, without a stream. */
export interface World {
  readonly database: TestDatabase;
  /** The product's pool. */
  readonly pool: pg.Pool;
  readonly registry: RegistryFeed;
  send(messages: readonly Sent[]): Promise<string[]>;
  /** Messages of one epoch. */
  plan(messages: readonly Sent[]): Promise<Plan>;
  settle(plan: Plan): Promise<Settled[]>;
  register(deviceToken?: string): Promise<void>;
  replay(selection: QuarantineSelection, changes?: Partial<ReplayOptions>): ReturnType<typeof replay>;
  dryRun(selection: QuarantineSelection, vouch?: boolean): ReturnType<typeof dryRun>;
  /** Of the message with this number, or of the oldest. */
  mend(payload: Loose | string, id?: bigint): Promise<MendOutcome | undefined>;
  rows<R extends pg.QueryResultRow>(sql: string): Promise<R[]>;
  /** Of what lies in the quarantine, the oldest first. */
  reasons(): Promise<string[]>;
  count(table: string): Promise<number>;
  ledger(): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WorldOptions {
  readonly limiter?: RateLimiter;
  readonly limits?: QuarantineLimits;
}

const generous = () =>
  createRateLimiter({
    device: { ratePerSecond: 1e6, burst: 1e8 },
    tenant: { ratePerSecond: 1e6, burst: 1e8 },
  });

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const database = await createTestDatabase();
  const pool = createPool({ databaseUrl: database.url, max: 6, name: 'world', log });
  await addTenant(pool, tenant);
  const clock = () => performance.now();
  const registry = startRegistryFeed({ pool, pollMs: 50, devices: true, log, clock });
  await registry.ready;
  const partitions = createPartitions({ pool, log, clock: Date.now });
  const epochs = createEpochs(pool, 'TELEMETRY');
  const settle = createSettle({
    pool,
    registry,
    judge,
    limiter: options.limiter ?? generous(),
    partitions,
    thresholds,
    latest: latestAtOnce(100),
    room: createQuarantineRoom(options.limits ?? ample, clock),
    ledgerShard: 3,
  });
  const plansOf = (messages: readonly Sent[]) =>
    createPlans(messages.map(pulled), (message) => decode(message, decodeOptions), epochs.of);
  const rows = async <R extends pg.QueryResultRow>(sql: string) => (await database.pool.query<R>(sql)).rows;
  return {
    database,
    pool,
    registry,
    settle,
    async plan(messages) {
      const [plan] = await plansOf(messages);
      if (plan === undefined) throw new Error('nothing to plan');
      return plan;
    },
    async send(messages) {
      await registry.refresh();
      const plans = await plansOf(messages);
      const outcomes: string[] = [];
      for (const plan of plans) outcomes.push(...(await settle(plan)).map(({ outcome }) => outcome));
      return outcomes;
    },
    async register(deviceToken = token) {
      await addDevice(pool, tenant, { deviceId: device, siteId: 's1', tokenSha256: hashToken(deviceToken) });
    },
    replay: (selection, changes = {}) =>
      replay({
        pool,
        selection,
        decodeOptions,
        vouch: false,
        note: { operator: 'ann', filter: '{}', vouchedBecause: undefined },
        partitions,
        thresholds,
        maxSensors: 100,
        onProgress: () => {},
        onSettled: () => {},
        stop: new AbortController().signal,
        random: () => 0,
        log,
        ...changes,
      }),
    dryRun: (selection, vouch = false) =>
      dryRun({
        db: pool,
        selection,
        decodeOptions,
        vouch,
        onProgress: () => {},
        stop: new AbortController().signal,
      }),
    mend: (payload, id = 1n) =>
      inTransaction(pool, (db) =>
        mend(
          db,
          {
            id,
            tenantId: undefined,
            payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
            by: 'ann',
          },
          { decodeOptions, vouch: false },
        ),
      ),
    rows,
    reasons: async () =>
      (await rows<{ reason: string }>('select reason from quarantine order by quarantine_id')).map(
        ({ reason }) => reason,
      ),
    count: async (table) => Number((await rows<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n),
    ledger: async () =>
      (
        await rows(`select sum(stored)::int as stored, sum(duplicates)::int as duplicates,
          sum(quarantined)::int as quarantined, sum(internal)::int as internal from ledger`)
      )[0],
    async [Symbol.asyncDispose]() {
      await registry.drain();
      await pool.end();
      await database[Symbol.asyncDispose]();
    },
  };
}

function pulled({ seq, payload, envelope, subject = 'telemetry.t1', key, epoch }: Sent): PulledMessage {
  const raw = rawOf(envelopeOf(envelope, payload), { seq, subject });
  return {
    ...raw,
    msgId: key === undefined ? undefined : encodeMsgId({ kind: 'key', ...key }),
    streamCreated: epoch ?? '2026-01-01T00:00:00Z',
    ack: () => {},
    nak: () => {},
    working: () => {},
  };
}
