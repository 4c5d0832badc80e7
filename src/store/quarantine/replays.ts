import type { Queryable } from '../statements/queryable.ts';
import { countSelected } from './select-page.ts';
import type { QuarantineSelection } from './selection.ts';

/** Who replays what, and why its tokens need not match; undefined: they must. */
export interface NewReplay {
  /** Whose messages alone it is for; undefined: an operator's, of any tenant. */
  readonly tenantId?: string | undefined;
  readonly operator: string;
  /** JSON text. */
  readonly filter: string;
  readonly vouchedBecause: string | undefined;
}

export interface ReplayCounts {
  readonly stored: number;
  readonly duplicates: number;
  /** Judged, and still in the quarantine. */
  readonly refused: number;
}

async function openReplay(db: Queryable, replay: NewReplay, total: number): Promise<number> {
  const { rows } = await db.query<{ replay_id: number }>({
    text: `insert into replays (operator, filter, vouched_because, tenant_id, total) values ($1, $2, $3, $4, $5)
      returning replay_id`,
    values: [replay.operator, replay.filter, replay.vouchedBecause, replay.tenantId, total],
  });
  const row = rows[0];
  if (row === undefined) throw new Error('the replay could not be noted: nothing was replayed');
  return row.replay_id;
}

/** A replay that is to begin. */
export interface OpenedReplay {
  readonly replayId: number;
  readonly total: number;
  /** What comes in after it is not meant. */
  readonly newestId: bigint;
}

/** Notes a replay of what is selected now; undefined where that is nothing. */
export async function openSelected(
  db: Queryable,
  selection: QuarantineSelection,
  note: NewReplay,
): Promise<OpenedReplay | undefined> {
  const { rows: total, newestId } = await countSelected(db, selection);
  if (total === 0) return undefined;
  return { replayId: await openReplay(db, note, total), total, newestId };
}

/** In the transaction that brings the outcomes about. */
export async function addToReplay(db: Queryable, replayId: number, counts: ReplayCounts): Promise<void> {
  await db.query({
    text: `update replays set stored = stored + $2, duplicates = duplicates + $3, refused = refused + $4,
        updated_at = now()
      where replay_id = $1`,
    values: [replayId, counts.stored, counts.duplicates, counts.refused],
  });
}

/** What the replay's committed transactions have done. */
export async function selectReplayCounts(db: Queryable, replayId: number): Promise<ReplayCounts> {
  const { rows } = await db.query<{ stored: bigint; duplicates: bigint; refused: bigint }>({
    text: 'select stored, duplicates, refused from replays where replay_id = $1',
    values: [replayId],
  });
  const { stored = 0n, duplicates = 0n, refused = 0n } = rows[0] ?? {};
  return { stored: Number(stored), duplicates: Number(duplicates), refused: Number(refused) };
}

/** @param error why it ended early; undefined: it went through all */
export async function finishReplay(db: Queryable, replayId: number, error?: string): Promise<void> {
  await db.query({
    text: 'update replays set finished_at = now(), updated_at = now(), error = $2 where replay_id = $1',
    values: [replayId, error],
  });
}

export interface VouchedMessage {
  readonly epoch: number;
  readonly streamSeq: bigint;
  readonly identity: string;
}

/** Notes what is stored although its token did not say so. */
export async function noteVouched(
  db: Queryable,
  replayId: number,
  messages: readonly VouchedMessage[],
): Promise<void> {
  await db.query({
    text: `insert into vouched_messages (replay_id, stream_epoch, stream_seq, identity)
      select $1, * from unnest($2::int[], $3::bigint[], $4::uuid[])`,
    values: [
      replayId,
      messages.map((message) => message.epoch),
      messages.map((message) => message.streamSeq),
      messages.map((message) => message.identity),
    ],
  });
}
