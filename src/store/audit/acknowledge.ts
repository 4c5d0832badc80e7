import type { Queryable } from '../statements/queryable.ts';

/** An incident that an operator has looked into. */
export interface Acknowledgement {
  readonly epoch: number;
  readonly unaccounted: bigint;
  readonly note: string;
  readonly acknowledgedAt: Date;
}

/** Records that `unaccounted` more messages of an epoch are known to be gone, and why. */
export async function acknowledge(
  db: Queryable,
  { epoch, unaccounted, note }: Omit<Acknowledgement, 'acknowledgedAt'>,
): Promise<void> {
  await db.query({
    text: 'insert into audit_acknowledgements (epoch, unaccounted, note) values ($1, $2, $3)',
    values: [epoch, unaccounted.toString(), note],
  });
}

export async function selectAcknowledgements(db: Queryable): Promise<Acknowledgement[]> {
  const { rows } = await db.query<{
    epoch: number;
    unaccounted: bigint;
    note: string;
    acknowledged_at: Date;
  }>({
    text: `select epoch, unaccounted, note, acknowledged_at from audit_acknowledgements
      order by acknowledgement_id`,
  });
  return rows.map(({ epoch, unaccounted, note, acknowledged_at }) => ({
    epoch,
    unaccounted,
    note,
    acknowledgedAt: acknowledged_at,
  }));
}
