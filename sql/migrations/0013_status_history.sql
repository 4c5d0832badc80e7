-- When devices were ONLINE, STALE and OFFLINE. Runs inside one transaction.

create table device_status_history (
  tenant_id text collate "C" not null,
  device_id text collate "C" not null,
  since timestamptz not null,
  status text not null check (status in ('ONLINE', 'STALE', 'OFFLINE')),
  primary key (tenant_id, device_id, since)
);
insert into device_status_history (tenant_id, device_id, since, status)
select tenant_id, device_id, status_since, status from device_state;

-- Whoever changes the status, in the same transaction. Nearly all updates do not: for those the condition costs next to
-- nothing. Twice at one moment (thresholds alike): what it was in the end counts.
create function keep_device_status() returns trigger language plpgsql as $$
begin
  insert into device_status_history (tenant_id, device_id, since, status)
  values (new.tenant_id, new.device_id, new.status_since, new.status)
  on conflict (tenant_id, device_id, since) do update set status = excluded.status;
  return null;
end $$;
create trigger device_state_first_status after insert on device_state
  for each row execute function keep_device_status();
create trigger device_state_other_status after update on device_state
  for each row when (old.status is distinct from new.status) execute function keep_device_status();

grant select on device_status_history to tributary_reader;
grant select, insert, update, delete on device_status_history to tributary_writer;
alter table device_status_history enable row level security;
create policy read_own_tenant on device_status_history for select to tributary_reader
  using (tenant_id = (select current_tenant()));
create policy write_all on device_status_history for all to tributary_writer using (true) with check (true);
