import { invalidInput } from './problem.ts';

/**
 * A cursor is the key of the last item shown, opaque to clients. It is checked, not signed: row-level security decides
 * what a reader sees, whatever the cursor says.
 */
function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** @param patterns one for each part of the key. @throws Problem when the cursor is none of this operation's */
export function decodeCursor(cursor: string | undefined, patterns: readonly RegExp[]): string[] | undefined {
  if (cursor === undefined) return undefined;
  const key = parse(cursor);
  const fits =
    Array.isArray(key) &&
    key.length === patterns.length &&
    patterns.every((pattern, index) => typeof key[index] === 'string' && pattern.test(key[index]));
  if (!fits) throw invalidInput('cursor: is none that this list gave; begin without one');
  return key;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/** A number of the database in a cursor. */
export const numberInCursor = /^\d{1,18}$/;
/** Any text that PostgreSQL takes. */
export const textInCursor = /^[^\0]{0,512}$/u;

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** @param rows one more than `limit` where there are more */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  keyOf: (row: R) => readonly string[],
  show: (row: R) => T,
): Page<T> {
  const last = rows[limit - 1];
  const next = rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null;
  return { items: rows.slice(0, limit).map(show), next };
}
