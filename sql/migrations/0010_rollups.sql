-- Roll-ups of the readings, so that a month of a device is drawn without reading each of its messages.
-- Runs inside one transaction.

-- The numbers of a device in 5 minutes of event time. Partitioned like telemetry: a week of it goes with the week of
-- telemetry it was made of.
create table telemetry_rollup (
  tenant_id text collate "C" not null,
  device_id text collate "C" not null,
  bucket timestamptz not null,               -- where the 5 minutes begin
  metric text collate "C" not null,
  count bigint not null,
  sum numeric,                               -- null: a value beyond 1e300 is among them
  min numeric not null,
  max numeric not null,
  primary key (tenant_id, device_id, bucket, metric)
) partition by range (bucket);

-- How far they go. Rows that are stored with a time before `mark_from` are owed a new roll-up; buckets before `rolled_to`
-- have one. The roller moves the first, waits for who has read it before, and moves the second.
create table rollup_mark (
  only_row boolean primary key default true check (only_row),
  mark_from timestamptz not null default '-infinity',
  rolled_to timestamptz not null default '-infinity'
);
insert into rollup_mark default values;

-- Buckets whose rows have changed since they were rolled up. May hold one several times: those who insert it must not
-- wait for each other.
create table rollup_owed (
  tenant_id text collate "C" not null,
  device_id text collate "C" not null,
  bucket timestamptz not null
);
create index rollup_owed_device on rollup_owed (tenant_id, device_id, bucket);

create function rollup_bucket(at timestamptz) returns timestamptz
language sql immutable parallel safe as $$
  select date_bin(interval '5 minutes', at, timestamptz '1970-01-01 00:00:00+00')
$$;

-- Whoever writes telemetry holds this lock in common with all others from before it reads the mark to its end: who then has
-- it alone knows that the others see a mark that was moved before.
create function telemetry_owe_rollups() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
declare
  owed_before timestamptz;
begin
  perform pg_advisory_xact_lock_shared(7710240004);
  select mark_from into owed_before from rollup_mark;
  insert into rollup_owed (tenant_id, device_id, bucket)
  select distinct tenant_id, device_id, rollup_bucket(time) from changed where time < owed_before;
  return null;
end $$;

create trigger telemetry_owe_inserted after insert on telemetry
  referencing new table as changed for each statement execute function telemetry_owe_rollups();
create trigger telemetry_owe_deleted after delete on telemetry
  referencing old table as changed for each statement execute function telemetry_owe_rollups();
create trigger telemetry_owe_updated_from after update on telemetry
  referencing old table as changed for each statement execute function telemetry_owe_rollups();
create trigger telemetry_owe_updated_to after update on telemetry
  referencing new table as changed for each statement execute function telemetry_owe_rollups();

-- ---------------------------------------------------------------- weeks
create function telemetry_rollup_partition(at timestamptz) returns text
language sql immutable parallel safe as $$
  select 'telemetry_rollup_' || to_char(telemetry_week(at) at time zone 'UTC', 'YYYYMMDD')
$$;

create function attach_rollup_partition(at timestamptz) returns void language plpgsql
set search_path = public, pg_temp set timezone = 'UTC' as $$
declare
  wanted timestamptz := telemetry_week(at);
  partition text := telemetry_rollup_partition(at);
begin
  -- Of a week of telemetry that somebody dropped by hand.
  execute format('drop table if exists %I', partition);
  execute format('create table %I (like telemetry_rollup including defaults including constraints including indexes)', partition);
  execute format('alter table telemetry_rollup attach partition %I for values from (%L) to (%L)',
    partition, wanted, wanted + interval '7 days');
end $$;
revoke execute on function attach_rollup_partition(timestamptz) from public;

-- As before, and the week of roll-ups with it.
create or replace function ensure_telemetry_partition(at timestamptz, tenant text default null, cap integer default null)
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
  perform attach_rollup_partition(wanted);
  insert into telemetry_weeks (week, made_for) values (wanted, tenant)
  on conflict (week) do update set made_for = excluded.made_for, made_at = now();
  return 'made';
end $$;

create or replace function drop_telemetry_partition(at timestamptz) returns void language plpgsql security definer
set search_path = public, pg_temp set timezone = 'UTC' as $$
begin
  execute format('drop table if exists %I', telemetry_partition(at));
  execute format('drop table if exists %I', telemetry_rollup_partition(at));
  delete from telemetry_weeks where week = telemetry_week(at);
end $$;

select attach_rollup_partition(week) from telemetry_weeks;

-- ---------------------------------------------------------------- readers and writers
grant select on telemetry_rollup, rollup_owed, rollup_mark to tributary_reader;
grant select, insert, update, delete on telemetry_rollup, rollup_owed, rollup_mark to tributary_writer;

do $$
declare t text;
begin
  foreach t in array array['telemetry_rollup', 'rollup_owed'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy read_own_tenant on %I for select to tributary_reader
      using (tenant_id = (select current_tenant()))', t);
    execute format('create policy write_all on %I for all to tributary_writer using (true) with check (true)', t);
  end loop;
end $$;
