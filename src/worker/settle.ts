import type { Pool } from 'pg';
import type { RegistryView } from '../model/registry.ts';
import type { Reading, Rejection, Verdict } from '../model/verdict.ts';
import { isMissingPartition } from '../store/errors.ts';
import type { Partitions } from '../store/partitions.ts';
import { beginSettling } from '../store/settling-lock.ts';
import { addToLedger } from '../store/statements/add-to-ledger.ts';
import { claim } from '../store/statements/claim.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import type { StatusThresholds } from '../store/statements/upsert-device-state.ts';
import { inTransaction } from '../store/transaction.ts';
import type { PulledMessage } from '../stream/puller.ts';
import type { Decoded } from './decoded.ts';
import { keepRejected } from './keep-rejected.ts';
import { settleKeys } from './keys.ts';
import type { LatestValues } from './latest/latest-values.ts';
import { type Claimed, claimed, type Outcome, type Plan, type PlanEntry, quarantine } from './plan.ts';
import type { QuarantineRoom } from './quarantine-room.ts';
import type { Charge, RateLimiter } from './rate-limiter.ts';
import { countOutcomes, recordDevices } from './record.ts';
import type { Routing } from './routing/routing.ts';
import { storeReadings } from './store-readings.ts';

/*
 * INV. Every stream sequence gets exactly one outcome, and every identity at most one row in `telemetry`.
 * It rests on three things here:
 * - the claim comes first: what was claimed before is not judged again, whatever changed since;
 * - claim, rows, quarantine and ledger commit together or not at all;
 * - the caller acks after COMMIT only. A COMMIT whose answer was lost is resolved by the claim of the retry.
 */

export interface SettleOptions {
  readonly pool: Pool;
  readonly registry: RegistryView & { refresh(atLeast: number): Promise<void> };
  readonly judge: (decoded: Decoded, registry: RegistryView) => Verdict;
  readonly limiter: Pick<RateLimiter, 'charge' | 'settled' | 'release'>;
  readonly partitions: Partitions;
  readonly thresholds: StatusThresholds;
  /** Takes the latest values of what was stored. */
  readonly latest: LatestValues;
  /** How much of what is refused is kept. */
  readonly room: QuarantineRoom;
  /** This worker's shard of the ledger. */
  readonly ledgerShard: number;
  /** Absent: nothing is routed. */
  readonly routing?: Routing;
  /** Stands around the insert of the readings, to time it. */
  readonly aroundInsert?: ((plan: Plan, insert: () => Promise<void>) => Promise<void>) | undefined;
}

export interface Settled {
  readonly entry: PlanEntry;
  readonly outcome: Outcome;
  readonly verdict: Verdict | undefined;
}

/** Nothing of the plan was settled: these messages belong to another epoch, and a new plan is needed. */
export class OtherEpochError extends Error {
  override readonly name = 'OtherEpochError';
  readonly epoch: number;
  readonly messages: readonly PulledMessage[];

  constructor(epoch: number, messages: readonly PulledMessage[]) {
    super(`${messages.length} messages are not of epoch ${epoch}: the stream gives numbers again`);
    this.epoch = epoch;
    this.messages = messages;
  }
}

export type Settle = (plan: Plan) => Promise<Settled[]>;

/**
 * The settling of a plan in one transaction. Throws what the database throws; the plan may then be tried again.
 * Throws OtherEpochError when the plan is to be made again.
 */
export function createSettle(options: SettleOptions): Settle {
  return async (plan) => {
    const unplaceable = await preparePartitions(plan, options);
    const { messages, afterCommit } = await settleInTransaction(plan, unplaceable, options);
    for (const setOff of afterCommit) setOff();
    const settled = withClaimedBefore(plan, messages);
    closeCharges(settled, options.limiter);
    return settled;
  };
}

async function settleInTransaction(
  plan: Plan,
  unplaceable: ReadonlySet<PlanEntry>,
  options: SettleOptions,
): Promise<{ readonly messages: Claimed<PlanEntry>[]; readonly afterCommit: readonly (() => void)[] }> {
  const { pool, limiter, registry, partitions } = options;
  try {
    return await inTransaction(
      pool,
      async (db) => {
        const messages = await claimAndJudge(db, plan, options);
        for (const message of messages) {
          if (message.outcome === 'open' && unplaceable.has(message.entry)) quarantine(message, outOfRange);
        }
        await settleKeys(db, messages, ({ reading, device }) => limiter.charge(reading, registry, device));
        const insert = () => storeReadings(db, plan.epoch, messages);
        await (options.aroundInsert === undefined ? insert() : options.aroundInsert(plan, insert));
        return { messages, afterCommit: await record(db, plan.epoch, messages, options) };
      },
      beginSettling,
    );
  } catch (error) {
    // Retention dropped it, or the registry moved on and more was accepted: the next attempt looks again.
    if (isMissingPartition(error)) partitions.forget();
    throw error;
  }
}

/** Only a stored message spends its budget: a resend, or one that another worker settled, gives it back. */
function closeCharges(settled: readonly Settled[], limiter: SettleOptions['limiter']): void {
  const spent: Charge[] = [];
  const unspent: Charge[] = [];
  for (const { entry, outcome } of settled) {
    if (entry.charged?.ok === true) (outcome === 'stored' ? spent : unspent).push(entry.charged.charge);
  }
  limiter.settled(spent);
  limiter.release(unspent);
}

export const outOfRange: Rejection = {
  reason: 'TIMESTAMP_OUT_OF_RANGE',
  detail: 'the tenant asked for too many new weeks of telemetry today',
};

/** Before the transaction: a partition made inside it would lock others out. */
async function preparePartitions(plan: Plan, options: SettleOptions): Promise<Set<PlanEntry>> {
  const readings = new Map<Reading, PlanEntry>();
  for (const entry of plan.entries) {
    const verdict = verdictOf(entry, options);
    if (verdict.outcome === 'accept') readings.set(verdict.reading, entry);
  }
  const refused = await options.partitions.ensure([...readings.keys()]);
  return new Set([...refused].flatMap((reading) => readings.get(reading) ?? []));
}

/** Claims the plan's sequences and judges those that were not claimed before, by the registry as of now. */
async function claimAndJudge(
  db: Queryable,
  plan: Plan,
  options: SettleOptions,
): Promise<Claimed<PlanEntry>[]> {
  const result = await claim(
    db,
    plan.epoch,
    plan.entries.map(({ message }) => message),
  );
  if (result.elsewhere.size > 0)
    throw new OtherEpochError(
      plan.epoch,
      plan.entries.flatMap(({ message }) => (result.elsewhere.has(message.seq) ? message : [])),
    );
  // Change notices are hints and get lost; the transaction's own look at the version is what counts.
  if (result.registryVersion > options.registry.version)
    await options.registry.refresh(result.registryVersion);
  return plan.entries
    .filter(({ message }) => result.claimed.has(message.seq))
    .map((entry) => claimed(entry, verdictOf(entry, options)));
}

/** Judged again only where the registry has moved on since. */
function verdictOf(entry: PlanEntry, { judge, registry }: SettleOptions): Verdict {
  if (entry.refused !== undefined) return { outcome: 'quarantine', rejection: entry.refused };
  const registryVersion = registry.version;
  if (entry.judged?.registryVersion !== registryVersion)
    entry.judged = { verdict: judge(entry.decoded, registry), registryVersion };
  return entry.judged.verdict;
}

/** Everything that follows from the outcomes, in the lock order that all workers keep. @returns what COMMIT sets off */
async function record(
  db: Queryable,
  epoch: number,
  messages: readonly Claimed<PlanEntry>[],
  options: SettleOptions,
): Promise<(() => void)[]> {
  const { registry, room, ledgerShard, routing } = options;
  const countRejected = await keepRejected(db, epoch, messages, { registry, room });
  const recordReturns = await routing?.watchReturns(db, messages);
  const noteLatest = await recordDevices(db, messages, options);
  if (messages.length === 0) return [];
  await recordReturns?.();
  const publishJobs = await routing?.record(db, messages);
  await addToLedger(db, epoch, ledgerShard, countOutcomes(messages));
  await countRejected();
  return [noteLatest, publishJobs].filter((setOff) => setOff !== undefined);
}

/** `messages`: those of the plan's entries that were claimed, in the plan's order. */
function withClaimedBefore(plan: Plan, messages: readonly Claimed<PlanEntry>[]): Settled[] {
  let next = 0;
  return plan.entries.map((entry) => {
    const message = messages[next];
    if (message?.entry !== entry) return { entry, outcome: 'claimed before', verdict: undefined };
    next += 1;
    // Committed with an outcome each: `countOutcomes` has seen to that.
    const outcome = message.outcome === 'open' ? 'claimed before' : message.outcome;
    return { entry, outcome, verdict: message.verdict };
  });
}
