-- Whether a route has secrets is for its tenant to see, the secrets are not. Runs inside one transaction.
alter table routes add column has_secrets boolean not null generated always as (secrets is not null) stored;
grant select (has_secrets) on routes to tributary_reader;
