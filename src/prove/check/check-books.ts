import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import { takeAudit } from '../../audit/take-audit.ts';
import { streamName } from '../../stream/subjects.ts';
import type { Violation } from '../violation.ts';

interface Books {
  readonly stored: number;
  readonly quarantined: number;
  readonly telemetry_rows: number;
  readonly quarantine_rows: number;
  readonly unclaimed_rows: number;
  readonly unkeyed_rows: number;
}

// In one statement, so of one moment. Claims that were compacted are the audit's to check.
const booksText = `
with positions as (
  select stream_epoch as epoch, stream_seq as seq from telemetry
  union all select stream_epoch, stream_seq from quarantine)
select (select coalesce(sum(stored), 0) from ledger)::float8 as stored,
       (select coalesce(sum(quarantined), 0) from ledger)::float8 as quarantined,
       (select count(*) from telemetry)::float8 as telemetry_rows,
       (select count(*) from quarantine)::float8 as quarantine_rows,
       (select count(*) from positions p join stream_epochs e using (epoch)
        where p.seq > e.compacted_to
          and not exists (select from claims c where c.epoch = p.epoch and c.seq = p.seq))::float8 as unclaimed_rows,
       (select count(*) from telemetry t where t.identity = any ($1::uuid[])
          and not exists (select from message_keys k where k.identity = t.identity))::float8 as unkeyed_rows`;

/** The ledger says the same as the rows, and the product's own audit finds everything accounted for. */
export async function checkBooks(
  { pool, nc }: { readonly pool: pg.Pool; readonly nc: NatsConnection },
  keyedIdentities: readonly string[],
): Promise<Violation[]> {
  const { rows } = await pool.query<Books>(booksText, [keyedIdentities]);
  const books = rows[0];
  if (books === undefined) return [{ kind: 'books', what: 'the database did not answer' }];
  const { total } = await takeAudit({ nc, pool, stream: streamName });
  const outcomes = total.stored + total.duplicates + total.quarantined + total.internal;
  const sums: readonly (readonly [string, number, string, number])[] = [
    ['rows of telemetry', books.telemetry_rows, 'stored in the ledger', books.stored],
    ['rows of quarantine', books.quarantine_rows, 'quarantined in the ledger', books.quarantined],
    ['rows without a claim', books.unclaimed_rows, 'expected', 0],
    ['keyed rows without an entry in message_keys', books.unkeyed_rows, 'expected', 0],
    ['messages unaccounted for in the audit', Number(total.unaccounted), 'expected', 0],
    ['accepted', Number(total.accepted), 'with an outcome or in flight', Number(outcomes + total.inFlight)],
  ];
  return sums
    .filter(([, one, , other]) => one !== other)
    .map(([what, one, than, other]) => ({ kind: 'books', what: `${one} ${what}, but ${other} ${than}` }));
}
