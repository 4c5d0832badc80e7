-- Runs inside one transaction.

-- A row of the outbox lives for a second or two and holds up to 50,000 jobs: to compress its arrays takes longer than to
-- write them.
alter table route_outbox
  alter column times_us set storage external,
  alter column identities set storage external,
  alter column route_ids set storage external,
  alter column refused_times_us set storage external,
  alter column refused_identities set storage external,
  alter column refused_route_ids set storage external;
