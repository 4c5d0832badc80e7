import { hostname } from 'node:os';
import type pg from 'pg';
import { toJson } from '../lib/to-json.ts';
import { type AuditActor, insertAuditEntry, updateAuditDetail } from '../store/console/audit-log.ts';
import { type ChunkChange, inChunks, type PassOptions } from '../store/listings/selection.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { inTransaction } from '../store/transaction.ts';
import { withDatabase } from './connect.ts';
import type { Invocation } from './define-command.ts';

/*
 * INV. What a command changes in the database stands in the audit log, written in the transaction that makes the change:
 * neither is there without the other.
 */

type Detail = Readonly<Record<string, unknown>>;
type Who = Pick<Invocation, 'environment'>;

/** What the log says of a change; in the words of the API's own entries. */
export interface AuditNote {
  /** Absent: a change of the installation. */
  readonly tenantId?: string | undefined;
  /** What was done to what: `device.create`. */
  readonly action: string;
  /** The id or name of what was changed. */
  readonly target: string;
  /** What a reader of the log wants to know besides; never a secret. What is undefined is left out. */
  readonly detail?: Detail;
}

/** Runs a change and writes its entry of the audit log in one transaction. @param noteOf undefined: nothing was changed */
export function change<T>(
  pool: pg.Pool,
  who: Who,
  work: (client: pg.PoolClient) => Promise<T>,
  noteOf: (result: T) => AuditNote | undefined,
): Promise<T> {
  return inTransaction(pool, async (client) => {
    const result = await work(client);
    const note = noteOf(result);
    if (note !== undefined) await insertNote(client, who, note);
    return result;
  });
}

/** The same, with a pool of the instance's database. */
export function withChange<T>(
  invocation: Invocation,
  work: (client: pg.PoolClient) => Promise<T>,
  noteOf: (result: T) => AuditNote | undefined,
): Promise<T> {
  return withDatabase(invocation, (pool) => change(pool, invocation, work, noteOf));
}

/** For a change whose transaction is somebody else's. */
export function insertNote(db: Queryable, who: Who, note: AuditNote): Promise<bigint> {
  const { tenantId, action, target, detail = {} } = note;
  return insertAuditEntry(db, { actor: actorOf(who), tenantId, action, target, detail: detailText(detail) });
}

/**
 * One entry for a change that takes several transactions: each of them calls it, and the entry says at any moment what is
 * done. It belongs to one command; calls do not overlap.
 */
export function createRunningNote(
  who: Who,
  note: Omit<AuditNote, 'detail'>,
): (db: Queryable, detail: Detail) => Promise<void> {
  let entryId: bigint | undefined;
  return async (db, detail) => {
    if (entryId === undefined) entryId = await insertNote(db, who, { ...note, detail });
    else await updateAuditDetail(db, entryId, detailText(detail));
  };
}

export interface ChunkedChange extends Pick<PassOptions, 'onProgress' | 'stop'> {
  readonly chunk: ChunkChange;
  readonly note: Omit<AuditNote, 'detail'>;
  readonly detailOf: (done: number) => Detail;
}

/** A change in many transactions, one a chunk, with one entry; where there is nothing to change, none. @returns how many rows */
export function changeInChunks(pool: pg.Pool, who: Who, options: ChunkedChange): Promise<number> {
  const { chunk, note, detailOf } = options;
  const write = createRunningNote(who, note);
  let before = 0;
  const move = () =>
    inTransaction(pool, async (client) => {
      const moved = await chunk(client);
      if (moved > 0) await write(client, detailOf(before + moved));
      return moved;
    });
  return inChunks(async () => {
    const moved = await move();
    before += moved;
    return moved;
  }, options);
}

function detailText(detail: Detail): string {
  return toJson(Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== undefined)));
}

/** Whoever the operating system says it is, and where: `alice@host`. */
function actorOf({ environment }: Who): AuditActor {
  const user = systemUser() ?? environment.USER ?? `uid ${process.getuid?.() ?? 'unknown'}`;
  return { kind: 'cli', name: `${user}@${hostname()}` };
}

/** Bun's `userInfo` says what the environment does. Undefined where the user id has no name, as in some containers. */
function systemUser(): string | undefined {
  try {
    const { success, stdout } = Bun.spawnSync(['id', '-un'], { stderr: 'ignore' });
    return success ? stdout.toString().trim() : undefined;
  } catch {
    return undefined;
  }
}
