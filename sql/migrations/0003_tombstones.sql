-- What was deleted from the registry is remembered for a while only. A cache that knows the registry as of an older
-- version than the last one purged cannot learn any more what to forget, and loads everything anew.
alter table registry_tombstones add column buried_at timestamptz not null default now();
alter table registry_version add column tombstones_purged_to bigint not null default -1;
