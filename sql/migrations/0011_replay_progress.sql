-- What tenants see of their quarantine, and how far a replay is. Runs inside one transaction.

alter table replays
  add column tenant_id text collate "C",     -- whose messages alone it was for; null: an operator's, of any tenant
  add column total bigint,                   -- messages that it began with; null: of an earlier release
  add column updated_at timestamptz not null default now(),  -- its last transaction
  add column error text;                     -- why it ended early
create index replays_tenant on replays (tenant_id, replay_id);

grant select on replays, quarantine_totals to tributary_reader;
grant select (subject, identity, identity_kind, stream_seq, intact, budget) on quarantine to tributary_reader;
alter table replays enable row level security;
create policy read_own_tenant on replays for select to tributary_reader using (tenant_id = (select current_tenant()));
create policy write_all on replays for all to tributary_writer using (true) with check (true);
alter table quarantine_totals enable row level security;
create policy read_own_tenant on quarantine_totals for select to tributary_reader using (budget = (select current_tenant()));
create policy write_all on quarantine_totals for all to tributary_writer using (true) with check (true);
