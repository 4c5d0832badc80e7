-- Who deletes all readings of a device or a tenant deletes their roll-ups, too, instead of having each 5 minutes rolled up
-- again. Runs inside one transaction.

create or replace function telemetry_owe_rollups() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
declare
  owed_before timestamptz;
begin
  if tg_op = 'DELETE' and current_setting('tributary.owe_rollups', true) = 'off' then return null; end if;
  perform pg_advisory_xact_lock_shared(7710240004);
  select mark_from into owed_before from rollup_mark;
  insert into rollup_owed (tenant_id, device_id, bucket)
  select distinct tenant_id, device_id, rollup_bucket(time) from changed where time < owed_before;
  return null;
end $$;
