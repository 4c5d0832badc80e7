import type { Pool } from 'pg';
import { isMissingPartition } from '../../store/errors.ts';
import type { Partitions } from '../../store/partitions.ts';
import { addToQuarantineTotals, type QuarantineTotals } from '../../store/quarantine/add-to-totals.ts';
import { deleteQuarantined } from '../../store/quarantine/delete-quarantined.ts';
import { noteMended } from '../../store/quarantine/note-mended.ts';
import { refuseAgain } from '../../store/quarantine/refuse-again.ts';
import { addToReplay, noteVouched } from '../../store/quarantine/replays.ts';
import { lockQuarantined, selectQuarantined } from '../../store/quarantine/select-quarantined.ts';
import { addToLedger } from '../../store/statements/add-to-ledger.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import type { StatusThresholds } from '../../store/statements/upsert-device-state.ts';
import { inTransaction } from '../../store/transaction.ts';
import { settleKeys } from '../keys.ts';
import { latestAtOnce } from '../latest/latest-values.ts';
import { quarantine } from '../plan.ts';
import { countOutcomes, recordDevices } from '../record.ts';
import { outOfRange } from '../settle.ts';
import { storeReadings } from '../store-readings.ts';
import { type Candidate, devicesOf, type JudgeOptions, judgeAgain, readingsOf } from './candidates.ts';
import { routeAgain } from './route-again.ts';

/*
 * INV. A quarantined message has its outcome already: a replay changes it, and what the ledger counts of it, in one
 * transaction. So at any moment, and whatever is killed, a message is either in the quarantine and counted as
 * quarantined, or out of it and counted as stored or duplicate. The row's lock keeps two replays apart, and whoever
 * evicts; the identity's keys keep a replay apart from a resend that is settled at the same moment.
 */

export interface SettleAgainOptions extends JudgeOptions {
  readonly pool: Pool;
  readonly partitions: Partitions;
  readonly thresholds: StatusThresholds;
  /** Sensors per device, unless the device says otherwise. */
  readonly maxSensors: number;
}

/** Any does: the audit looks at the sum of all. */
const ledgerShard = 0;

/**
 * Settles quarantined messages of one stream epoch in one transaction. What is not there any more, or locked by
 * somebody else, is passed over.
 * @returns what was judged. @throws what the database throws; nothing has changed then, or COMMIT's answer was lost
 */
export async function settleAgain(
  replayId: number,
  ids: readonly bigint[],
  options: SettleAgainOptions,
): Promise<Candidate[]> {
  const unplaceable = await preparePartitions(ids, options);
  try {
    return await inTransaction(options.pool, (db) => settle(db, replayId, ids, unplaceable, options));
  } catch (error) {
    if (isMissingPartition(error)) options.partitions.forget();
    throw error;
  }
}

/** Before the transaction: a partition has to be committed before a row can go in. */
async function preparePartitions(
  ids: readonly bigint[],
  options: SettleAgainOptions,
): Promise<ReadonlySet<bigint>> {
  const { pool, partitions } = options;
  const rows = await selectQuarantined(pool, ids);
  const registry = await devicesOf(pool, rows);
  const refused = await partitions.ensure(readingsOf(rows.map((row) => judgeAgain(row, registry, options))));
  return new Set([...refused].map(({ entry }) => entry.row.id));
}

async function settle(
  db: Queryable,
  replayId: number,
  ids: readonly bigint[],
  unplaceable: ReadonlySet<bigint>,
  options: SettleAgainOptions,
): Promise<Candidate[]> {
  const rows = await lockQuarantined(db, ids);
  const epoch = rows[0]?.epoch;
  if (epoch === undefined) return [];
  const registry = await devicesOf(db, rows);
  const candidates = rows.map((row) => judgeAgain(row, registry, options));
  for (const candidate of candidates) {
    if (candidate.outcome === 'open' && unplaceable.has(candidate.entry.row.id))
      quarantine(candidate, outOfRange);
  }
  await settleKeys(db, candidates, () => undefined);
  await storeReadings(db, epoch, candidates);
  await record(db, { replayId, epoch, candidates }, options);
  return candidates;
}

interface Judged {
  readonly replayId: number;
  readonly epoch: number;
  readonly candidates: readonly Candidate[];
}

/** In the lock order that settling keeps. */
async function record(
  db: Queryable,
  { replayId, epoch, candidates }: Judged,
  { thresholds, maxSensors }: SettleAgainOptions,
): Promise<void> {
  const gone = candidates.filter(({ outcome }) => outcome !== 'quarantined');
  const refused = candidates.flatMap(({ entry, verdict }) =>
    verdict.outcome === 'quarantine' ? [{ id: entry.row.id, rejection: verdict.rejection }] : [],
  );
  const counts = countOutcomes(candidates);
  const mended = candidates.filter(
    ({ entry, outcome }) => entry.row.mendedPayload !== null && outcome === 'stored',
  );
  if (mended.length > 0) await noteMended(db, replayId, mended.flatMap(mendedMessage));
  if (gone.length > 0)
    await deleteQuarantined(
      db,
      gone.map(({ entry }) => entry.row.id),
    );
  if (refused.length > 0) await refuseAgain(db, refused);
  await recordDevices(db, candidates, { thresholds, latest: latestAtOnce(maxSensors) });
  await routeAgain(db, candidates);
  if (gone.length > 0) {
    await addToLedger(db, epoch, ledgerShard, { ...counts, quarantined: -gone.length });
    await addToQuarantineTotals(db, replayedTotals(gone));
  }
  const vouched = candidates.filter(({ entry, outcome }) => entry.vouched && outcome === 'stored');
  if (vouched.length > 0)
    await noteVouched(
      db,
      replayId,
      vouched.map(({ entry }) => vouchedMessage(entry)),
    );
  const { stored, duplicates } = counts;
  await addToReplay(db, replayId, { stored, duplicates, refused: refused.length });
}

function vouchedMessage({ row, decoded }: Candidate['entry']) {
  return { epoch: row.epoch, streamSeq: row.streamSeq, identity: decoded.identity.identity };
}

function mendedMessage({ entry, verdict }: Candidate) {
  if (verdict.outcome !== 'accept') return [];
  const { identity } = entry.decoded.identity;
  return [{ id: entry.row.id, identity, timeUs: verdict.reading.timeUs }];
}

function replayedTotals(gone: readonly Candidate[]): QuarantineTotals[] {
  const totals = new Map<string, QuarantineTotals>();
  for (const { entry } of gone) {
    const { budget, reason, day } = entry.row;
    const key = `${budget}/${reason}/${day}`;
    totals.set(key, { budget, reason, day, replayed: (totals.get(key)?.replayed ?? 0) + 1 });
  }
  return [...totals.values()];
}
