import type { Queryable } from '../statements/queryable.ts';

export interface Alarm {
  readonly kind: string;
  readonly subject: string;
  /** A sentence. */
  readonly detail: string;
  readonly count: bigint;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** All that nobody has cleared, the latest first. */
export async function listAlarms(db: Queryable): Promise<Alarm[]> {
  const { rows } = await db.query<Alarm>({
    text: `
      select kind, subject, detail, count, first_at as "firstAt", last_at as "lastAt"
      from alarms order by last_at desc, kind, subject`,
  });
  return rows;
}

/** @returns how many there were. */
export async function clearAlarms(db: Queryable): Promise<number> {
  const { rowCount } = await db.query({ text: 'delete from alarms' });
  return rowCount ?? 0;
}
