-- Routes: which accepted messages go where, what is owed to them, and what could not be delivered.
-- Runs inside one transaction, after 0001_spine.

-- ---------------------------------------------------------------- routes
create table routes (
  route_id integer generated always as identity primary key,
  tenant_id text collate "C" not null references tenants on delete cascade,
  name text collate "C" not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  topic_filter text not null,                -- MQTT wildcards
  condition text,                            -- CEL; null: every message of the filter
  fires_on text[] not null default '{message}'
    check (fires_on <@ array['message', 'status'] and cardinality(fires_on) between 1 and 2),
  destination jsonb not null check (destination ->> 'kind' in ('webhook', 'mqtt', 'nats')),
  secrets bytea,                             -- AES-256-GCM of a JSON object; null: the destination needs none
  rate_per_second double precision check (rate_per_second > 0),
  burst integer check (burst > 0),
  enabled boolean not null default true,
  disabled_reason text,                      -- null: by a person, or not at all
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  version bigint not null default 0,
  unique (tenant_id, name)
);
create index routes_version on routes (version);

-- A table of its own: a process of an older release takes every row of registry_tombstones for a device or a tenant.
create table route_tombstones (
  version bigint not null,
  tenant_id text collate "C" not null,
  route_id integer not null
);
create index route_tombstones_version on route_tombstones (version);

create function routes_stamp() returns trigger language plpgsql as $$
begin
  new.version := (select version from registry_version);
  new.updated_at := now();
  return new;
end $$;
create function routes_bury() returns trigger language plpgsql as $$
begin
  insert into route_tombstones (version, tenant_id, route_id)
  select version, old.tenant_id, old.route_id from registry_version;
  return null;
end $$;
-- As with devices: a settling transaction that sees the registry's version judges and routes by that version.
create trigger routes_bump before insert or update or delete on routes
  for each statement execute function registry_bump();
create trigger routes_stamp before insert or update on routes
  for each row execute function routes_stamp();
create trigger routes_bury after delete on routes
  for each row execute function routes_bury();
create trigger routes_refuse_truncate before truncate on routes
  for each statement execute function registry_refuse_truncate();

-- ---------------------------------------------------------------- what is owed
-- One row for all the jobs of a settling transaction, written in it: at a thousand messages a batch that is one insert
-- and one delete instead of thousands. It goes when ROUTES has acknowledged each of its jobs.
create table route_outbox (
  job_group bigint generated always as identity primary key,
  kind text not null check (kind in ('message', 'status')),
  -- Before this moment it is in the hands of a process that publishes it from memory; after it the sweep takes it.
  due_at timestamptz not null default now() + interval '5 seconds',
  created_at timestamptz not null default now(),
  -- Of messages: the jobs to publish, and those that were refused when they were matched (over the route's cap), which
  -- become dead letters. One element a job: its message's row of `telemetry` (time in µs since the epoch, identity), and
  -- its route.
  times_us bigint[] not null default '{}',
  identities uuid[] not null default '{}',
  route_ids integer[] not null default '{}',
  jobs integer not null generated always as (cardinality(route_ids)) stored,
  refused_times_us bigint[] not null default '{}',
  refused_identities uuid[] not null default '{}',
  refused_route_ids integer[] not null default '{}',
  refused_details text[] not null default '{}',
  -- What is added to route_totals besides, when the row goes: [{"route_id":1,"condition_errors":3,"dropped":2}, …].
  counts jsonb not null default '[]',
  -- Of a status change: it is matched with the routes when it is published.
  tenant_id text collate "C",
  event jsonb,
  check (cardinality(times_us) = cardinality(route_ids) and cardinality(identities) = cardinality(route_ids)),
  check (cardinality(refused_times_us) = cardinality(refused_route_ids)
    and cardinality(refused_identities) = cardinality(refused_route_ids)
    and cardinality(refused_details) = cardinality(refused_route_ids)),
  check ((kind = 'status') = (event is not null and tenant_id is not null))
);
create index route_outbox_due on route_outbox (due_at);

-- ---------------------------------------------------------------- delivery
-- Jobs that wait for another attempt. Whole, since ROUTES has let go of them.
create table route_schedule (
  route_id integer not null,
  job_id text collate "C" not null,
  tenant_id text collate "C" not null,
  job text not null,                         -- JSON, numbers as the device sent them
  jobs integer not null default 1,           -- how many are in it: a batch is one row
  due_at timestamptz not null,
  attempts integer not null default 0,
  first_attempt_at timestamptz not null default now(),
  last_error text,
  lease_until timestamptz,                   -- a process works on it until then
  primary key (route_id, job_id)
);
create index route_schedule_due on route_schedule (route_id, due_at);

-- By reference: the message itself stays in `telemetry`. Outlives its route.
create table dead_letters (
  dead_letter_id bigint generated always as identity primary key,
  tenant_id text collate "C" not null,
  route_id integer not null,
  route_name text collate "C" not null,
  reason text not null check (reason in ('ROUTES_FULL', 'REFUSED', 'GAVE_UP', 'ROUTE_DISABLED', 'ROUTE_REMOVED',
                                         'ADDRESS_REFUSED', 'UNDELIVERABLE')),
  detail text not null,
  kind text not null check (kind in ('message', 'status')),
  time timestamptz,                          -- of a message: its row in `telemetry`
  identity uuid,
  event jsonb,                               -- of a status change
  attempts integer not null default 0,
  first_at timestamptz not null default now(),  -- when the first attempt was made
  dead_at timestamptz not null default now(),
  check (case kind when 'message' then time is not null and identity is not null else event is not null end)
);
create index dead_letters_tenant on dead_letters (tenant_id, dead_letter_id desc);
create index dead_letters_route on dead_letters (route_id, dead_letter_id);

-- Counters of each route, outliving it; sharded, so that processes do not wait for each other. Jobs are counted:
-- matched = delivered + dead + those that wait (in route_outbox, in ROUTES, in route_schedule).
create table route_totals (
  route_id integer not null,
  shard smallint not null,
  tenant_id text collate "C" not null,
  matched bigint not null default 0,         -- left the outbox: published, or refused
  condition_errors bigint not null default 0,
  published bigint not null default 0,
  delivered bigint not null default 0,
  retried bigint not null default 0,         -- attempts that failed and are made again
  dead bigint not null default 0,            -- dead letters ever, those not kept included
  evicted bigint not null default 0,         -- of these: not kept, or taken out by the limits
  replayed bigint not null default 0,
  purged bigint not null default 0,
  primary key (route_id, shard)
) with (fillfactor = 70);

-- ---------------------------------------------------------------- readers and writers
grant select (route_id, tenant_id, name, topic_filter, condition, fires_on, destination, rate_per_second, burst, enabled,
              disabled_reason, created_at, updated_at) on routes to tributary_reader;
grant select on dead_letters, route_totals to tributary_reader;
grant select, insert, update, delete on routes, route_tombstones, route_outbox, route_schedule, dead_letters, route_totals
  to tributary_writer;
grant usage on all sequences in schema public to tributary_writer;

do $$
declare t text;
begin
  foreach t in array array['routes', 'dead_letters', 'route_totals'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy read_own_tenant on %I for select to tributary_reader
      using (tenant_id = (select current_tenant()))', t);
    execute format('create policy write_all on %I for all to tributary_writer using (true) with check (true)', t);
  end loop;
end $$;
