-- Who may use the API, who is signed in, and who changed what. Runs inside one transaction.

-- ---------------------------------------------------------------- keys
create table tenant_keys (
  key_id integer generated always as identity primary key,
  tenant_id text collate "C" not null references tenants on delete cascade,
  name text not null check (name <> '' and length(name) <= 64),
  level text not null check (level in ('read', 'write', 'admin')),
  key_sha256 bytea not null unique check (length(key_sha256) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
-- A revoked key's name may be given again.
create unique index tenant_keys_name on tenant_keys (tenant_id, name) where revoked_at is null;

-- A browser that signed in with a key: it holds a secret of its own, and ends with the key.
create table console_sessions (
  session_sha256 bytea primary key check (length(session_sha256) = 32),
  operator_key_id integer references operator_keys on delete cascade,
  tenant_key_id integer references tenant_keys on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  check (num_nonnulls(operator_key_id, tenant_key_id) = 1)
);
create index console_sessions_expiry on console_sessions (expires_at);

-- ---------------------------------------------------------------- audit
-- One row for every change made through the API, written in the transaction that makes it. Outlives key and tenant.
create table audit_log (
  entry_id bigint generated always as identity primary key,
  time timestamptz not null default now(),
  actor_kind text not null check (actor_kind in ('operator', 'tenant')),
  actor_key_id integer not null,
  actor_name text not null,                  -- of the key, as it was
  tenant_id text collate "C",                -- null: a change of the installation
  action text collate "C" not null,          -- device.create
  target text not null,
  detail jsonb not null default '{}'         -- never a secret
);
create index audit_log_tenant on audit_log (tenant_id, entry_id desc);

-- ---------------------------------------------------------------- readers and writers
-- Whether a device has a token is for its tenant to see, the token's hash is not.
alter table devices add column has_token boolean not null generated always as (token_sha256 is not null) stored;
grant select (has_token, previous_token_until) on devices to tributary_reader;
grant select on tenants, audit_log to tributary_reader;
grant select (key_id, tenant_id, name, level, created_at, expires_at, revoked_at) on tenant_keys to tributary_reader;
grant select, insert, update, delete on tenant_keys, console_sessions, audit_log to tributary_writer;
grant usage on all sequences in schema public to tributary_writer;

do $$
declare t text;
begin
  foreach t in array array['tenants', 'tenant_keys', 'audit_log'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy read_own_tenant on %I for select to tributary_reader
      using (tenant_id = (select current_tenant()))', t);
    execute format('create policy write_all on %I for all to tributary_writer using (true) with check (true)', t);
  end loop;
end $$;
