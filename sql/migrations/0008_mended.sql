-- Payloads that somebody replaced in the quarantine. Runs inside one transaction.

-- What a replay judges instead of the envelope's own payload; the envelope stays as it came.
alter table quarantine
  add column mended_payload text,            -- JSON text, without a token; null: not mended
  add column mended_by text,
  add column mended_at timestamptz,
  add constraint quarantine_mended check ((mended_payload is null) = (mended_at is null));

-- What was stored with another payload than it was sent with: forgotten with its telemetry. A message's identity is
-- here once, so that two sends of it, mended each in another way, are not stored twice.
create table mended_messages (
  identity uuid primary key,
  time timestamptz not null,                 -- of its row in telemetry
  tenant_id text collate "C" not null,
  device_id text collate "C" not null,
  stream_epoch integer not null,
  stream_seq bigint not null,
  replay_id integer not null references replays,
  mended_by text not null,
  mended_at timestamptz not null,
  stored_at timestamptz not null default now(),
  original bytea                             -- the envelope as it lay in the quarantine, kept for as long as it would have been there
);
create index mended_messages_tenant on mended_messages (tenant_id, stored_at) where original is not null;

grant select (mended_payload, mended_by, mended_at) on quarantine to tributary_reader;
grant select (identity, time, tenant_id, device_id, mended_by, mended_at, stored_at, original) on mended_messages to tributary_reader;
grant select, insert, update, delete on mended_messages to tributary_writer;
alter table mended_messages enable row level security;
create policy read_own_tenant on mended_messages for select to tributary_reader
  using (tenant_id = (select current_tenant()));
create policy write_all on mended_messages for all to tributary_writer using (true) with check (true);
