import type pg from 'pg';
import type { StreamStand } from '../settled.ts';
import type { Violation } from '../violation.ts';

interface Books {
  readonly claims: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly internal: number;
  readonly telemetry_rows: number;
  readonly quarantine_rows: number;
  readonly unclaimed_rows: number;
  readonly unkeyed_rows: number;
}

// In one statement, so of one moment.
const booksText = `
with ledger_sums as (
  select coalesce(sum(stored), 0) as stored, coalesce(sum(duplicates), 0) as duplicates,
         coalesce(sum(quarantined), 0) as quarantined, coalesce(sum(internal), 0) as internal
  from ledger)
select (select count(*) from claims)::float8 as claims, stored::float8, duplicates::float8, quarantined::float8,
       internal::float8, (select count(*) from telemetry)::float8 as telemetry_rows,
       (select count(*) from quarantine)::float8 as quarantine_rows,
       (select count(*) from (select stream_epoch, stream_seq from telemetry
                              union all select stream_epoch, stream_seq from quarantine) r
        where not exists (select from claims c where c.epoch = r.stream_epoch and c.seq = r.stream_seq)
       )::float8 as unclaimed_rows,
       (select count(*) from telemetry t where t.identity = any ($1::uuid[])
          and not exists (select from message_keys k where k.identity = t.identity))::float8 as unkeyed_rows
from ledger_sums`;

/** Every sequence has one claim and one outcome, and the ledger says the same as the rows. */
export async function checkBooks(
  pool: pg.Pool,
  { lastSeq }: StreamStand,
  keyedIdentities: readonly string[],
): Promise<Violation[]> {
  const { rows } = await pool.query<Books>(booksText, [keyedIdentities]);
  const books = rows[0];
  if (books === undefined) return [{ kind: 'books', what: 'the database did not answer' }];
  const outcomes = books.stored + books.duplicates + books.quarantined + books.internal;
  const sums: readonly (readonly [string, number, string, number])[] = [
    ['sequences that the stream assigned', lastSeq, 'claims', books.claims],
    ['claims', books.claims, 'outcomes in the ledger', outcomes],
    ['rows of telemetry', books.telemetry_rows, 'stored in the ledger', books.stored],
    ['rows of quarantine', books.quarantine_rows, 'quarantined in the ledger', books.quarantined],
    ['rows without a claim', books.unclaimed_rows, 'expected', 0],
    ['keyed rows without an entry in message_keys', books.unkeyed_rows, 'expected', 0],
  ];
  return sums
    .filter(([, one, , other]) => one !== other)
    .map(([what, one, than, other]) => ({ kind: 'books', what: `${one} ${what}, but ${other} ${than}` }));
}
