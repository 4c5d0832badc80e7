-- What the command line changes stands in the audit log, too: its actor has no key. Runs inside one transaction.
alter table audit_log alter column actor_key_id drop not null;
alter table audit_log drop constraint audit_log_actor_kind_check;
alter table audit_log add constraint audit_log_actor_kind_check check (actor_kind in ('operator', 'tenant', 'cli'));
alter table audit_log add constraint audit_log_actor_key_check check ((actor_kind = 'cli') = (actor_key_id is null));
