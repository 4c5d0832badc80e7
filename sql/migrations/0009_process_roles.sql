-- A role for each kind of process that needs less than a worker. Runs inside one transaction.

-- Roles live in the cluster, not in the database: another installation may have made them already.
do $$
declare role_name text;
begin
  foreach role_name in array array['tributary_door', 'tributary_delivery'] loop
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
            hint = format('Let an administrator run: create role %I nologin;', role_name);
    end;
  end loop;
end $$;

grant usage on schema public to tributary_door, tributary_delivery;
grant select on tributary_migrations, registry_version, tenants to tributary_door, tributary_delivery;

-- Gateway, MQTT listener and bridge: whom to let in, and what became of a message. Readings and envelopes they cannot see.
grant select on devices, registry_tombstones, operator_keys, stream_epochs, claims, message_keys, delivered_jobs
  to tributary_door;
grant select (time, identity, arrived_at, stream_seq) on telemetry to tributary_door;
grant select (quarantine_id, identity, stream_seq, reason, detail) on quarantine to tributary_door;
grant select (route_id, name) on routes to tributary_door;
grant select (route_id, identity, attempts, dead_at) on dead_letters to tributary_door;
grant select (route_id, job_id, attempts, due_at) on route_schedule to tributary_door;
grant select (route_ids, identities, created_at) on route_outbox to tributary_door;

-- Delivery: routes with their sealed secrets, the schedule, what was delivered or given up.
grant select on routes, route_tombstones to tributary_delivery;
grant select, insert, update, delete on route_schedule, dead_letters, delivered_jobs, route_totals to tributary_delivery;
-- A destination that answers 410 has its route disabled, which is a new version of the registry.
grant update (enabled, disabled_reason, version, updated_at) on routes to tributary_delivery;
grant update on registry_version to tributary_delivery;
grant usage on all sequences in schema public to tributary_delivery;

do $$
declare t text;
begin
  foreach t in array array['telemetry', 'devices', 'quarantine', 'routes', 'dead_letters'] loop
    execute format('create policy see_all_as_door on %I for select to tributary_door using (true)', t);
  end loop;
  foreach t in array array['routes', 'dead_letters', 'route_totals'] loop
    execute format('create policy all_as_delivery on %I for all to tributary_delivery using (true) with check (true)', t);
  end loop;
end $$;
