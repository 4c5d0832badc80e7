import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backoffMs } from '../../lib/backoff.ts';
import { classify, isMissingPartition, sqlstateOf } from '../../store/errors.ts';
import { refuseAgain } from '../../store/quarantine/refuse-again.ts';
import {
  addToReplay,
  finishReplay,
  type NewReplay,
  type OpenedReplay,
  openSelected,
  type ReplayCounts,
  selectReplayCounts,
} from '../../store/quarantine/replays.ts';
import { countSelected } from '../../store/quarantine/select-page.ts';
import type { QuarantineSelection } from '../../store/quarantine/selection.ts';
import { inTransaction } from '../../store/transaction.ts';
import type { Candidate } from './candidates.ts';
import { selectedChunks } from './chunks.ts';
import { type SettleAgainOptions, settleAgain } from './settle-again.ts';

export interface RunOptions extends SettleAgainOptions {
  readonly selection: QuarantineSelection;
  /** Called with the messages gone through so far and how many there are. */
  readonly onProgress: (done: number, total: number) => void;
  /** Told after each COMMIT what was judged. */
  readonly onSettled: (judged: readonly Candidate[]) => void;
  /** Ends the replay between two transactions. */
  readonly stop: AbortSignal;
  readonly random: () => number;
  readonly log: Logger;
}

export interface ReplayOptions extends RunOptions {
  readonly note: NewReplay;
}

export interface ReplayResult extends ReplayCounts {
  /** Its number in `replays`; undefined when nothing was selected. */
  readonly replayId: number | undefined;
  /** Selected, still in the quarantine and not judged: another replay has them in hand. */
  readonly passedOver: number;
  /** Why the refused ones are refused now. */
  readonly reasons: ReadonlyMap<string, number>;
  /** False: told to stop; what is counted here is done. */
  readonly complete: boolean;
}

export const replayDefaults = {
  retry: { baseMs: 100, maxMs: 2_000 },
  /** An outage that lasts longer ends the replay; what is done stays done. */
  attempts: 20,
} as const;

/**
 * Judges what the selection finds in the quarantine anew, by the registry as it is now, and settles what passes: with
 * its original arrival and identity, without charging a limiter. Run twice, the second finds only what is still refused.
 * @throws what the database throws when that is no passing trouble
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  return runOpened(await openSelected(options.pool, options.selection, options.note), options);
}

/** The same for a replay that is opened already. @param opened undefined: nothing was selected */
export async function runOpened(
  opened: OpenedReplay | undefined,
  options: RunOptions,
): Promise<ReplayResult> {
  const { pool, selection, onProgress, stop } = options;
  const state = createState();
  if (opened === undefined) return resultOf(state, undefined, !stop.aborted);
  const { replayId, total, newestId } = opened;
  let done = 0;
  for await (const ids of selectedChunks(pool, selection, newestId)) {
    if (stop.aborted) break;
    await settleChunk(replayId, ids, state, options);
    done += ids.length;
    onProgress(Math.min(done, total), total);
  }
  await settleSkipped(replayId, newestId, state, options);
  await finishReplay(pool, replayId, stop.aborted ? 'stopped before the end' : undefined);
  return resultOf(state, replayId, !stop.aborted);
}

/**
 * What was locked may have been so by a replay that was just killed, or by an attempt of this one whose connection was
 * lost: their transactions end soon after.
 */
async function settleSkipped(
  replayId: number,
  newestId: bigint,
  state: State,
  options: RunOptions,
): Promise<void> {
  const { pool, stop } = options;
  const ids = state.skipped.splice(0);
  if (ids.length === 0) return;
  for await (const chunk of selectedChunks(pool, { ids }, newestId)) {
    if (stop.aborted) break;
    await settleChunk(replayId, chunk, state, options);
  }
  if (state.skipped.length > 0) state.passedOver = (await countSelected(pool, { ids: state.skipped })).rows;
}

interface State {
  counts: ReplayCounts;
  /** Ids that were not there, or locked, when their turn came. */
  readonly skipped: bigint[];
  passedOver: number;
  readonly reasons: Map<string, number>;
}

function createState(): State {
  return { counts: { stored: 0, duplicates: 0, refused: 0 }, skipped: [], passedOver: 0, reasons: new Map() };
}

function resultOf(state: State, replayId: number | undefined, complete: boolean): ReplayResult {
  const { counts, passedOver, reasons } = state;
  return { ...counts, replayId, passedOver, reasons, complete };
}

/** Settles a chunk, or halves it until the message that the database refuses stands alone. */
async function settleChunk(
  replayId: number,
  ids: readonly bigint[],
  state: State,
  options: RunOptions,
): Promise<void> {
  try {
    await untilSettled(replayId, ids, state, options);
  } catch (error) {
    if (classify(error) !== 'row') throw error;
    const [only] = ids;
    if (ids.length === 1 && only !== undefined) {
      await refuse(replayId, only, error, state, options);
      return;
    }
    const middle = ids.length >> 1;
    await settleChunk(replayId, ids.slice(0, middle), state, options);
    await settleChunk(replayId, ids.slice(middle), state, options);
  }
}

/** Tries again while the error speaks of the server. */
async function untilSettled(
  replayId: number,
  ids: readonly bigint[],
  state: State,
  options: RunOptions,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      // A COMMIT whose answer was lost: the replay's own counts tell.
      if (attempt > 0 && (await hasCommitted(replayId, state, options))) return;
      const judged = await settleAgain(replayId, ids, options);
      add(judged, ids, state);
      options.onSettled(judged);
      return;
    } catch (error) {
      const passing = classify(error) === 'retry' || isMissingPartition(error);
      if (!passing || attempt + 1 >= replayDefaults.attempts || options.stop.aborted) throw error;
      options.log.warn({ event: 'replay_retry', attempt, error: String(error) }, 'replaying a chunk again');
      await pause(backoffMs(attempt, replayDefaults.retry, options.random));
    }
  }
}

async function hasCommitted(replayId: number, state: State, { pool }: RunOptions): Promise<boolean> {
  const now = await selectReplayCounts(pool, replayId);
  if (sumOf(now) === sumOf(state.counts)) return false;
  state.counts = now;
  return true;
}

function sumOf({ stored, duplicates, refused }: ReplayCounts): number {
  return stored + duplicates + refused;
}

function add(judged: readonly Candidate[], ids: readonly bigint[], state: State): void {
  const { stored, duplicates, refused } = state.counts;
  const having = (outcome: Candidate['outcome']) => judged.filter((each) => each.outcome === outcome).length;
  state.counts = {
    stored: stored + having('stored'),
    duplicates: duplicates + having('duplicate'),
    refused: refused + having('quarantined'),
  };
  const found = new Set(judged.map(({ entry }) => entry.row.id));
  state.skipped.push(...ids.filter((id) => !found.has(id)));
  for (const { verdict } of judged) {
    if (verdict.outcome === 'quarantine') countReason(state, verdict.rejection.reason);
  }
}

/** The database refused something other than the telemetry row: those are isolated inside the transaction. */
async function refuse(
  replayId: number,
  id: bigint,
  error: unknown,
  state: State,
  { pool }: RunOptions,
): Promise<void> {
  const sqlstate = sqlstateOf(error);
  const detail = `the database refused the message with SQLSTATE ${sqlstate ?? 'unknown'}`;
  const rejection = {
    reason: 'STORE_REJECTED',
    detail,
    ...(sqlstate === undefined ? {} : { sqlstate }),
  } as const;
  await inTransaction(pool, async (db) => {
    await refuseAgain(db, [{ id, rejection }]);
    await addToReplay(db, replayId, { stored: 0, duplicates: 0, refused: 1 });
  });
  state.counts = { ...state.counts, refused: state.counts.refused + 1 };
  countReason(state, rejection.reason);
}

function countReason({ reasons }: State, reason: string): void {
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}
