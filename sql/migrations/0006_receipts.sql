-- What receipts are answered from. Runs inside one transaction.

-- Where the message of a key was stored, so that a resend without a time of its own finds it; null: settled by an
-- earlier release.
alter table message_keys add column time timestamptz;

-- The quarantined message of a receipt. Ascending, so an insert costs next to nothing.
create index quarantine_stream_seq on quarantine (stream_seq);

-- Jobs of messages that were delivered, for a day or two: the message's receipt lists them. No index on the time: they
-- expire in walks over the table's pages, as message_keys do.
create table delivered_jobs (
  identity uuid not null,
  route_id integer not null,
  attempts smallint not null,
  delivered_at timestamptz not null default now(),
  primary key (identity, route_id)
);
create index dead_letters_identity on dead_letters (identity) where identity is not null;
grant select, insert, update, delete on delivered_jobs to tributary_writer;
