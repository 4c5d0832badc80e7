-- Deleted routes are forgotten after a while, too. Runs inside one transaction, after 0004_route_backfills.
alter table route_tombstones add column buried_at timestamptz not null default now();
