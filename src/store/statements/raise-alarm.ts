import type { Queryable } from './queryable.ts';

export interface RaisedAlarm {
  /** `max_deliveries` */
  readonly kind: string;
  /** What it is about; one row per kind and subject. */
  readonly subject: string;
  /** A sentence. */
  readonly detail: string;
  /** How often since it was last written down. */
  readonly count: number;
}

/** Writes an alarm down, or counts it again; it stays until somebody clears it. */
export async function raiseAlarm(
  db: Queryable,
  { kind, subject, detail, count }: RaisedAlarm,
): Promise<void> {
  await db.query({
    name: 'raise-alarm',
    text: `
      insert into alarms (kind, subject, detail, count) values ($1, $2, $3, $4)
      on conflict (kind, subject) do update
        set count = alarms.count + excluded.count, detail = excluded.detail, last_at = now()`,
    values: [kind, subject, detail, count],
  });
}
