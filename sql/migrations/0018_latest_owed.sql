-- Latest values are written a moment after their readings, many batches at once. Runs inside one transaction.

-- Readings whose values are still to be looked at, one row for each batch: the process that settled it does so from
-- memory and deletes the row; when that process dies, another one does so from the readings themselves.
create table latest_owed (
  owed_id bigint generated always as identity primary key,
  times timestamptz[] not null,
  identities uuid[] not null
);
-- A row lives for a second or two: to compress it takes longer than to write it.
alter table latest_owed alter column times set storage external, alter column identities set storage external;

grant select, insert, update, delete on latest_owed to tributary_writer;
