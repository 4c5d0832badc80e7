-- The spine: registry, telemetry, settlement, quarantine, and who may read them.
-- Runs inside one transaction (see src/store/migrate.ts). PostgreSQL 15 or newer. Everything lives in the schema
-- `public` of a database of its own.
-- Ids are compared bytewise everywhere: collate "C" makes their indexes smaller and faster.

-- ---------------------------------------------------------------- registry
-- The version grows in commit order: whoever changes the registry holds the row's lock until it
-- commits, so a reader that has seen version n has seen every change up to n.
create table registry_version (
  only_row boolean primary key default true check (only_row),
  version bigint not null default 0
);
insert into registry_version default values;

create table tenants (
  tenant_id text collate "C" primary key check (tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'),
  name text not null default '',
  rate_per_second double precision check (rate_per_second > 0),
  burst integer check (burst > 0),
  device_rate_per_second double precision check (device_rate_per_second > 0),
  device_burst integer check (device_burst > 0),
  created_at timestamptz not null default now(),
  version bigint not null default 0
);
create index tenants_version on tenants (version);

create table devices (
  tenant_id text collate "C" not null references tenants,
  device_id text collate "C" not null check (device_id ~ '^[A-Za-z0-9._:-]{1,128}$'),
  site_id text not null check (site_id <> '' and length(site_id) <= 128),
  token_sha256 bytea check (length(token_sha256) = 32),
  previous_token_sha256 bytea check (length(previous_token_sha256) = 32),
  previous_token_until timestamptz,
  revoked_at timestamptz,
  rate_per_second double precision check (rate_per_second > 0),
  burst integer check (burst > 0),
  max_sensors integer check (max_sensors >= 0),
  created_at timestamptz not null default now(),
  version bigint not null default 0,
  primary key (tenant_id, device_id)
);
-- With the ids behind it, so that caches can page through one version of a million devices.
create index devices_version on devices (version, tenant_id, device_id);

-- What was deleted, so that caches learn of it by version like of any other change.
create table registry_tombstones (
  version bigint not null,
  tenant_id text collate "C" not null,
  device_id text collate "C"                -- null: the tenant itself
);
create index registry_tombstones_version on registry_tombstones (version);

-- One bump a statement, so an import of 100,000 devices is one version. Direct SQL edits are seen too.
create function registry_bump() returns trigger language plpgsql as $$
declare new_version bigint;
begin
  update registry_version set version = version + 1 returning version into new_version;
  perform pg_notify('tributary_registry', new_version::text);
  return null;
end $$;
create function registry_stamp() returns trigger language plpgsql as $$
begin
  new.version := (select version from registry_version);
  return new;
end $$;
create function registry_bury_device() returns trigger language plpgsql as $$
begin
  insert into registry_tombstones (version, tenant_id, device_id)
  select version, old.tenant_id, old.device_id from registry_version;
  return null;
end $$;
create function registry_bury_tenant() returns trigger language plpgsql as $$
begin
  insert into registry_tombstones (version, tenant_id) select version, old.tenant_id from registry_version;
  return null;
end $$;
create trigger tenants_bump before insert or update or delete on tenants
  for each statement execute function registry_bump();
create trigger tenants_stamp before insert or update on tenants
  for each row execute function registry_stamp();
create trigger tenants_bury after delete on tenants
  for each row execute function registry_bury_tenant();
create trigger devices_bump before insert or update or delete on devices
  for each statement execute function registry_bump();
create trigger devices_stamp before insert or update on devices
  for each row execute function registry_stamp();
create trigger devices_bury after delete on devices
  for each row execute function registry_bury_device();
-- TRUNCATE fires no row triggers, so caches would go on with what is gone.
create function registry_refuse_truncate() returns trigger language plpgsql as $$
begin
  raise exception 'use DELETE on %: TRUNCATE would not be noticed by running gateways and workers', tg_table_name;
end $$;
create trigger tenants_refuse_truncate before truncate on tenants
  for each statement execute function registry_refuse_truncate();
create trigger devices_refuse_truncate before truncate on devices
  for each statement execute function registry_refuse_truncate();

-- Hashes of tokens that devices had before: what was sent with one of them can be replayed out of the quarantine.
create table device_token_history (
  tenant_id text collate "C" not null references tenants on delete cascade,
  device_id text collate "C" not null,
  token_sha256 bytea not null,
  replaced_at timestamptz not null default now(),
  primary key (tenant_id, device_id, token_sha256)
);
create function registry_keep_token() returns trigger language plpgsql as $$
begin
  insert into device_token_history (tenant_id, device_id, token_sha256)
  values (old.tenant_id, old.device_id, old.token_sha256)
  on conflict (tenant_id, device_id, token_sha256) do update set replaced_at = now();
  return null;
end $$;
create trigger devices_keep_replaced_token after update on devices
  for each row when (old.token_sha256 is distinct from new.token_sha256 and old.token_sha256 is not null)
  execute function registry_keep_token();
create trigger devices_keep_last_token after delete on devices
  for each row when (old.token_sha256 is not null) execute function registry_keep_token();

create table operator_keys (
  key_id integer generated always as identity primary key,
  name text not null unique,
  key_sha256 bytea not null unique check (length(key_sha256) = 32),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- ---------------------------------------------------------------- telemetry
-- Partitioned by week of event time. `time` comes from the message, never from a worker's clock, so
-- the same message always meets its own unique key.
create table telemetry (
  time timestamptz not null,
  identity uuid not null,                    -- 16 bytes: see src/model/identity.ts
  tenant_id text collate "C" not null,
  device_id text collate "C" not null,
  site_id text not null,
  msg_type text not null,
  seq bigint,
  metrics jsonb not null,
  extra jsonb,                               -- what else the device sent
  arrived_at timestamptz not null,
  stream_epoch integer not null,
  stream_seq bigint not null,
  constraint telemetry_identity unique (time, identity)
) partition by range (time);
create index telemetry_device_time on telemetry (tenant_id, device_id, time desc);

-- Which weeks have a partition, and who needed it: the cap on new partitions per tenant counts here.
create table telemetry_weeks (
  week timestamptz primary key,              -- Monday 00:00 UTC
  made_for text collate "C",                 -- null: made ahead of time
  made_at timestamptz not null default now()
);
create index telemetry_weeks_made_for on telemetry_weeks (made_for, made_at);

create function telemetry_week(at timestamptz) returns timestamptz
language sql immutable parallel safe as $$
  select date_trunc('week', at at time zone 'UTC') at time zone 'UTC'
$$;
create function telemetry_partition(at timestamptz) returns text
language sql immutable parallel safe as $$
  select 'telemetry_' || to_char(telemetry_week(at) at time zone 'UTC', 'YYYYMMDD')
$$;

-- Without the weeks that somebody has dropped or detached by hand.
create view live_telemetry_weeks as
select week from telemetry_weeks
where exists (select from pg_inherits
              where inhparent = to_regclass('telemetry') and inhrelid = to_regclass(telemetry_partition(week)));

-- 'exists', 'made', or 'refused' when the tenant had `cap` weeks made for it within a day already.
-- LIKE and ATTACH take no lock that an insert would wait for; CREATE … PARTITION OF would.
-- security definer: a writer need not own the table. pg_temp comes last, so that nobody's temporary table is taken
-- for ours.
create function ensure_telemetry_partition(at timestamptz, tenant text default null, cap integer default null)
returns text language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' as $$
declare
  wanted timestamptz := telemetry_week(at);
  partition text := telemetry_partition(at);
begin
  if exists (select from live_telemetry_weeks where week = wanted) then return 'exists'; end if;
  perform pg_advisory_xact_lock(hashtext('tributary.partitions'));
  -- Who waited for the lock looks again.
  if exists (select from live_telemetry_weeks where week = wanted) then return 'exists'; end if;
  if cap <= (select count(*) from telemetry_weeks where made_for = tenant and made_at > now() - interval '1 day') then
    return 'refused';
  end if;
  execute format('create table %I (like telemetry including defaults including constraints including indexes)', partition);
  execute format('alter table telemetry attach partition %I for values from (%L) to (%L)',
    partition, wanted, wanted + interval '7 days');
  insert into telemetry_weeks (week, made_for) values (wanted, tenant)
  on conflict (week) do update set made_for = excluded.made_for, made_at = now();
  return 'made';
end $$;

-- Drops one week, for good. Takes ACCESS EXCLUSIVE on telemetry for a moment: call it with a short lock_timeout, since
-- inserts queue behind it while it waits.
create function drop_telemetry_partition(at timestamptz) returns void language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' as $$
begin
  execute format('drop table if exists %I', telemetry_partition(at));
  delete from telemetry_weeks where week = telemetry_week(at);
end $$;

-- ---------------------------------------------------------------- settlement
-- A stream's incarnation. One that is deleted and made anew starts at sequence 1 again, under another `created`. One that
-- is restored from an older copy keeps `created` and gives old numbers to new messages: those that follow have a later
-- timestamp, and belong to a next epoch (`previous` is the one before it).
create table stream_epochs (
  epoch integer generated always as identity primary key,
  stream text not null,
  created text not null,                     -- JetStream's own spelling of the stream's creation time
  previous integer unique references stream_epochs,
  base_seq bigint not null default 0,        -- its messages have higher numbers
  first_timestamp_ns bigint not null default 0,  -- and are not older; 0 for the first epoch of a `created`
  opened_at timestamptz not null default now(),
  last_mark bigint not null default 0,       -- the highest last_seq that the audit saw
  -- Claims up to here are deleted and count as made, except the gaps. Gaps may be claimed later, as rows of `claims`.
  compacted_to bigint not null default 0,
  compacted_newest_ns bigint not null default 0,
  compacted_gaps int8multirange not null default '{}'
);
create unique index stream_epochs_first on stream_epochs (stream, created) where previous is null;

-- One row for every stream sequence that has its outcome, until it is compacted into its epoch's mark. The same number
-- with another timestamp is another message, of another epoch.
create table claims (
  epoch integer not null,
  seq bigint not null,
  timestamp_ns bigint not null,
  primary key (epoch, seq)
);

-- What an operator has looked into: this much of an epoch's `unaccounted` no longer turns the status red.
create table audit_acknowledgements (
  acknowledgement_id bigint generated always as identity primary key,
  epoch integer not null references stream_epochs,
  unaccounted bigint not null,
  note text not null,
  acknowledged_at timestamptz not null default now()
);

-- Outcomes counted in the settling transaction; sharded so that workers do not wait for each other.
create table ledger (
  epoch integer not null,
  shard smallint not null,
  stored bigint not null default 0,
  duplicates bigint not null default 0,
  quarantined bigint not null default 0,
  internal bigint not null default 0,
  primary key (epoch, shard)
);

-- Identities by idempotency key. Such a message may carry no ts, then each retry has a new arrival time
-- and the key of the partitioned table would not meet itself.
create table message_keys (
  identity uuid primary key,
  body_hash uuid not null,
  first_settled_at timestamptz not null default now()
);
-- No index on the time: they expire in walks over the table's pages (src/store/maintenance/), and each insert is cheaper.

create table quarantine (
  quarantine_id bigint generated always as identity primary key,
  reason text not null,
  detail text not null,
  sqlstate text,
  tenant_id text collate "C",                -- as far as it could be read: subject first
  device_id text collate "C",
  msg_type text,
  subject text not null,
  arrived_at timestamptz not null,
  quarantined_at timestamptz not null default now(),
  envelope bytea not null,                   -- as published, every token cut out
  intact boolean not null default true,      -- false: more was cut than the payload's own token, so never replayed
  token_sha256 bytea,                        -- of the token it was sent with, for replay
  identity uuid not null,
  identity_kind text not null,
  body_hash uuid,
  stream_epoch integer not null,
  stream_seq bigint not null,
  budget text collate "C" not null default ''  -- whose share it takes: a tenant's, or '' for all unknown ones
);
create index quarantine_tenant on quarantine (tenant_id, quarantine_id desc);
create index quarantine_budget on quarantine (budget, quarantine_id);
-- A key is remembered for as long as a message under it could still be replayed.
create index quarantine_keys on quarantine (identity) where identity_kind = 'key';

-- What a person has to look at; `tributary alarms clear` deletes it.
create table alarms (
  kind text collate "C" not null,
  subject text collate "C" not null,
  count bigint not null,
  detail text not null,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  primary key (kind, subject)
);

-- What went into the quarantine and out again, by the day it went in (UTC): outlives the rows. What is older than
-- retention is summed up under the day -infinity.
create table quarantine_totals (
  budget text collate "C" not null,
  reason text not null,
  day date not null,
  quarantined bigint not null default 0,     -- rows that were not kept included
  evicted bigint not null default 0,         -- not kept, or taken out by the limits
  replayed bigint not null default 0,
  purged bigint not null default 0,
  primary key (budget, reason, day)
);

-- Who replayed what, when and why.
create table replays (
  replay_id integer generated always as identity primary key,
  started_at timestamptz not null default now(),
  finished_at timestamptz,                   -- null: at work, or cut off
  operator text not null,                    -- who says to be it
  database_user text not null default session_user,
  filter jsonb not null,
  vouched_because text,                      -- null: tokens were compared
  stored bigint not null default 0,
  duplicates bigint not null default 0,
  refused bigint not null default 0
);
-- What came in although its token did not say so.
create table vouched_messages (
  replay_id integer not null references replays,
  stream_epoch integer not null,
  stream_seq bigint not null,
  identity uuid not null,
  primary key (replay_id, stream_epoch, stream_seq)
);

-- ---------------------------------------------------------------- what devices are
-- No index on what every batch changes, and room on the page: these updates stay heap-only.
create table device_state (
  tenant_id text collate "C" not null,
  device_id text collate "C" not null,
  last_seen_at timestamptz not null,         -- arrival of the newest message
  last_msg_type text not null,
  status text not null check (status in ('ONLINE', 'STALE', 'OFFLINE')),
  status_since timestamptz not null,
  primary key (tenant_id, device_id)
) with (fillfactor = 70);

create table sensors (
  tenant_id text collate "C" not null,
  device_id text collate "C" not null,
  metric text collate "C" not null,
  value_type text not null check (value_type in ('number', 'boolean', 'string')),
  unit text,
  discovered_at timestamptz not null,        -- arrival of the message it was first seen in
  latest jsonb not null,
  latest_time timestamptz not null,          -- event time of the latest value
  latest_order timestamptz not null,         -- the smaller of event time and arrival: what "latest" goes by
  latest_seq bigint,
  primary key (tenant_id, device_id, metric)
) with (fillfactor = 70);

-- ---------------------------------------------------------------- readers and writers
-- One row per value: what BI tools and Grafana query. Numbers are exact (numeric).
create view telemetry_values with (security_invoker = true) as
select t.time, t.tenant_id, t.device_id, t.site_id, t.msg_type, t.seq, m.key as metric,
       case when jsonb_typeof(m.value) = 'number' then m.value::numeric end as value,
       case when jsonb_typeof(m.value) in ('string', 'boolean') then m.value #>> '{}' end as text_value,
       t.arrived_at
from telemetry t cross join lateral jsonb_each(t.metrics) m;

create view device_overview with (security_invoker = true) as
select d.tenant_id, d.device_id, d.site_id, d.revoked_at is not null as revoked, d.created_at,
       s.last_seen_at, s.status, s.status_since
from devices d left join device_state s using (tenant_id, device_id);

-- Roles live in the cluster, not in the database: another installation may have made them already.
do $$
declare role_name text;
begin
  foreach role_name in array array['tributary_reader', 'tributary_writer'] loop
    begin
      if not exists (select from pg_roles where rolname = role_name) then
        execute format('create role %I nologin', role_name);
      end if;
    exception
      -- Two databases migrated at the same moment.
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        raise exception 'user % may not create the role %', current_user, role_name
          using errcode = 'insufficient_privilege',
            hint = format('Let an administrator run: create role %I nologin; grant %1$I to %I;', role_name, current_user);
    end;
    -- So that this user can become the role with SET ROLE; a superuser can anyway.
    if not (select rolsuper from pg_roles where rolname = current_user) then
      begin
        execute format('grant %I to %I', role_name, current_user);
      exception when insufficient_privilege then
        raise notice 'user % cannot grant itself %', current_user, role_name;
      end;
    end if;
  end loop;
end $$;

grant usage on schema public to tributary_reader, tributary_writer;
grant select on telemetry, sensors, device_state, telemetry_values, device_overview to tributary_reader;
grant select (tenant_id, device_id, site_id, revoked_at, rate_per_second, burst, max_sensors, created_at) on devices to tributary_reader;
grant select (quarantine_id, reason, detail, sqlstate, tenant_id, device_id, msg_type, arrived_at, quarantined_at, envelope)
  on quarantine to tributary_reader;
grant select, insert, update, delete on registry_version, tenants, devices, registry_tombstones, operator_keys, telemetry,
  stream_epochs, claims, audit_acknowledgements, ledger, message_keys, quarantine, device_state, sensors to tributary_writer;
grant select, insert, update, delete on device_token_history, quarantine_totals, replays, vouched_messages, alarms to tributary_writer;
grant select on telemetry_weeks, live_telemetry_weeks, tributary_migrations, telemetry_values, device_overview to tributary_writer;
grant usage on all sequences in schema public to tributary_writer;
-- Everybody may call a new function unless told otherwise.
revoke execute on function ensure_telemetry_partition(timestamptz, text, integer), drop_telemetry_partition(timestamptz) from public;
grant execute on function ensure_telemetry_partition(timestamptz, text, integer), drop_telemetry_partition(timestamptz)
  to tributary_writer;

-- Logins that belong to a tenant: whoever may write SQL of their own can also set `tributary.tenant_id`, so for these
-- it does not count.
create table tenant_logins (
  login name primary key,
  tenant_id text collate "C" not null references tenants on delete cascade
);
-- Whose rows a reader sees. Everybody else sets `tributary.tenant_id` with SET LOCAL; unset means no rows.
create function current_tenant() returns text language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce((select tenant_id from tenant_logins where login = session_user),
                  nullif(current_setting('tributary.tenant_id', true), ''))
$$;

do $$
declare t text;
begin
  foreach t in array array['telemetry', 'sensors', 'device_state', 'devices', 'quarantine'] loop
    execute format('alter table %I enable row level security', t);
    -- The sub-select makes it one call a query, not one a row.
    execute format('create policy read_own_tenant on %I for select to tributary_reader
      using (tenant_id = (select current_tenant()))', t);
    execute format('create policy write_all on %I for all to tributary_writer using (true) with check (true)', t);
  end loop;
end $$;
