-- Where a route's backfill stands, so that one that was broken off goes on from there.
-- Runs inside one transaction, after 0003_tombstones.

-- Moved on in the transaction that queues the jobs: what was queued once is not queued again. Gone when it is done.
create table route_backfills (
  route_id integer primary key references routes on delete cascade,
  since timestamptz not null,                -- event time: from here …
  until timestamptz not null,                -- … to before here
  arrived_before timestamptz,                -- null: whenever it arrived
  after_time timestamptz,                    -- the last message looked at
  after_identity uuid,
  looked_at bigint not null default 0,
  queued bigint not null default 0,
  condition_errors bigint not null default 0,
  started_at timestamptz not null default now(),
  check ((after_time is null) = (after_identity is null))
);
grant select, insert, update, delete on route_backfills to tributary_writer;
