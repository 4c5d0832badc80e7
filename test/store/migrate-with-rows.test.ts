import { expect, test } from 'bun:test';
import type pg from 'pg';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import type { Receipt } from '../../src/model/receipt.ts';
import { leaseJobs } from '../../src/store/delivery/lease-jobs.ts';
import { advanceSnapshot, createRegistrySnapshot } from '../../src/store/feed/registry-snapshot.ts';
import { listQuarantine } from '../../src/store/listings/list-quarantine.ts';
import { purgeTombstones } from '../../src/store/maintenance/purge-tombstones.ts';
import { migrate } from '../../src/store/migrate.ts';
import { migrations } from '../../src/store/migrations.ts';
import { selectEvidence } from '../../src/store/receipts/select-evidence.ts';
import { findRoute, listRoutes } from '../../src/store/registry/find-routes.ts';
import { startBackfill } from '../../src/store/routes/backfills.ts';
import { listDeadLetters } from '../../src/store/routes/dead-letters/list-dead-letters.ts';
import { replayDeadLetters } from '../../src/store/routes/dead-letters/replay-dead-letters.ts';
import { selectMessages } from '../../src/store/routes/select-messages.ts';
import { selectRouteStates } from '../../src/store/routes/select-route-states.ts';
import { takeOwed } from '../../src/store/routes/take-owed.ts';
import { beginSettling } from '../../src/store/settling-lock.ts';
import { claim } from '../../src/store/statements/claim.ts';
import { insertMessageKeys, selectMessageKeys } from '../../src/store/statements/message-keys.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { withDatabase } from './with-database.ts';

const acme = 'acme' as TenantId;
const hex = (n: number) => n.toString(16).padStart(32, '0');
const atUs = Date.UTC(2026, 5, 1) * 1_000 + 7;
const everything = { withDevices: true, withRoutes: true, pageSize: 100 } as const;

/** What a release of the first two migrations leaves behind: a row at least of every table that a later one changes. */
const asBefore = `
insert into tenants (tenant_id, name) values ('acme', 'Acme'), ('gone', 'left');
insert into devices (tenant_id, device_id, site_id, token_sha256)
  values ('acme', 'd1', 's1', sha256('one')), ('acme', 'd2', 's1', null), ('acme', 'd3', 's1', sha256('three'));
insert into routes (tenant_id, name, topic_filter, condition, destination, secrets)
  values ('acme', 'hot', '#', 'metrics.n > 1', '{"kind":"webhook","url":"https://example.org/"}', 'sealed'),
         ('acme', 'cold', '#', null, '{"kind":"nats","subject":"out.acme.x"}', null);
insert into operator_keys (name, key_sha256) values ('ops', sha256('key'));
select ensure_telemetry_partition('2026-06-01Z');
insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, seq, metrics, extra, arrived_at, stream_epoch, stream_seq)
  values ('2026-06-01 00:00:00.000007Z', '${hex(1)}', 'acme', 'd1', 's1', 'telemetry', 4, '{"n": 12345678901234567890}', '{"a":1}', '2026-06-01 00:00:01Z', 1, 1),
         ('2026-06-01 00:00:00.000007Z', '${hex(2)}', 'acme', 'd1', 's1', 'telemetry', 5, '{"n": 2}', null, '2026-06-01 00:00:02Z', 1, 2);
insert into stream_epochs (stream, created, last_mark) values ('TELEMETRY', '2026-01-01T00:00:00Z', 3);
insert into claims (epoch, seq, timestamp_ns) values (1, 1, 11), (1, 2, 12), (1, 3, 13);
insert into ledger (epoch, shard, stored, quarantined) values (1, 0, 2, 1);
insert into message_keys (identity, body_hash) values ('${hex(2)}', '${hex(9)}');
insert into quarantine (reason, detail, tenant_id, device_id, msg_type, subject, arrived_at, envelope, token_sha256, identity, identity_kind, stream_epoch, stream_seq, budget)
  values ('UNREGISTERED_DEVICE', 'no such device', 'acme', 'dx', 'telemetry', 'telemetry.acme', '2026-06-01 00:00:03Z', '{}', sha256('x'), '${hex(3)}', 'fresh', 1, 3, 'acme');
insert into route_outbox (kind, due_at, times_us, identities, route_ids) values ('message', now(), '{${atUs}}', '{${hex(1)}}', '{1}');
insert into route_outbox (kind, due_at, tenant_id, event)
  values ('status', now() + interval '1 s', 'acme', '{"device_id":"d1","status":"OFFLINE","previous":"STALE","since":"2026-06-01T00:00:00Z"}');
insert into route_schedule (route_id, job_id, tenant_id, job, due_at, attempts, last_error)
  values (1, 'r1.1.${hex(2)}', 'acme', '{"v":1}', now(), 3, 'refused');
insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, time, identity)
  values ('acme', 2, 'cold', 'GAVE_UP', 'too long', 'message', '2026-06-01 00:00:00.000007Z', '${hex(2)}');
insert into route_totals (route_id, shard, tenant_id, matched, published, delivered, retried, dead)
  values (1, 0, 'acme', 5, 5, 4, 3, 0), (2, 1, 'acme', 1, 1, 0, 9, 1);
insert into sensors (tenant_id, device_id, metric, value_type, discovered_at, latest, latest_time, latest_order)
  values ('acme', 'd1', 'n', 'number', '2026-06-01Z', '2', '2026-06-01Z', '2026-06-01Z');
insert into replays (operator, filter) values ('me', '{}');`;

/** Deleted while a cache holds it: known by tombstones that have no time yet. */
const deletions = `
delete from devices where device_id = 'd3';
delete from tenants where tenant_id = 'gone';
insert into routes (tenant_id, name, topic_filter, destination) values ('acme', 'short', '#', '{"kind":"nats","subject":"out.acme.y"}');
delete from routes where name = 'short';`;

test('rows of the first schema are read by today’s program, and go on from where they were', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    await migrate(pool, { migrations: migrations.slice(0, 2) });
    await pool.query(asBefore);
    const before = await versionOf(pool);
    await pool.query(deletions);
    await migrate(pool);

    await expectRegistry(pool, before);
    await expectRoutes(pool);
    await expectSettlement(pool);
  }));

async function versionOf(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ version: bigint }>('select version from registry_version');
  return Number(rows[0]?.version);
}

/** A cache as of before the deletions learns of them by the old tombstones, for as long as these are kept. */
async function expectRegistry(pool: pg.Pool, before: number): Promise<void> {
  const now = await versionOf(pool);
  const fresh = createRegistrySnapshot();
  expect(await advanceSnapshot(pool, fresh, now, everything)).toBe(true);
  expect([...fresh.tenants.keys()]).toEqual(['acme']);
  const known = ['d1', 'd2', 'd3'].filter((id) => fresh.devices.get(acme, id as DeviceId) !== undefined);
  expect(known).toEqual(['d1', 'd2']);
  expect(fresh.routes.of('acme').map(({ name }) => name)).toEqual(['hot', 'cold']);

  const stale = createRegistrySnapshot();
  await advanceSnapshot(pool, stale, now, everything);
  stale.version = before;
  const [tenant, route] = [fresh.tenants.get('acme'), fresh.routes.of('acme')[0]];
  if (tenant === undefined || route === undefined) throw new Error('nothing was loaded');
  stale.tenants.set('gone', { ...tenant, tenantId: 'gone' as TenantId });
  stale.routes.set({ ...route, routeId: 3, name: 'short' });
  expect(await advanceSnapshot(pool, stale, now, everything)).toBe(true);
  expect([...stale.tenants.keys()]).toEqual(['acme']);
  expect(stale.routes.of('acme').map(({ name }) => name)).toEqual(['hot', 'cold']);

  // As old as the migration, and not as the deletion: nobody who may need them has lost them.
  expect(await purgeTombstones(pool, 1)).toBe(0);
  await pool.query(`update registry_tombstones set buried_at = now() - interval '2 days'`);
  await pool.query(`update route_tombstones set buried_at = now() - interval '2 days'`);
  expect(await purgeTombstones(pool, 1)).toBe(3);
  stale.version = before;
  expect(await advanceSnapshot(pool, stale, now, everything)).toBe(false);
}

async function expectRoutes(pool: pg.Pool): Promise<void> {
  expect((await listRoutes(pool, acme)).map(({ name, hasSecrets }) => [name, hasSecrets])).toEqual([
    ['cold', false],
    ['hot', true],
  ]);
  const { route, secrets } = await findRoute(pool, acme, 'hot');
  expect([route.routeId, route.condition, secrets?.toString()]).toEqual([1, 'metrics.n > 1', 'sealed']);
  const states = await selectRouteStates(pool, [1, 2]);
  expect(states.get(1)).toMatchObject({
    matched: 5,
    delivered: 4,
    retried: 3,
    inOutbox: 1,
    scheduled: 1,
    lastError: 'refused',
  });
  expect(states.get(2)).toMatchObject({ matched: 1, dead: 1, held: 1 });
  expect(
    await startBackfill(pool, 1, { since: new Date(0), until: new Date(1), arrivedBefore: undefined }),
  ).toMatchObject({ queued: 0 });
  expect(await leaseJobs(pool, [{ routeId: 1, jobs: 5 }], 1_000)).toMatchObject([
    { jobId: `r1.1.${hex(2)}`, attempts: 3 },
  ]);
  expect(await listDeadLetters(pool, { limit: 5 })).toMatchObject([
    { route_name: 'cold', identity: hex(2), reason: 'GAVE_UP' },
  ]);
  const stop = new AbortController().signal;
  expect(await replayDeadLetters(pool, {}, { upTo: 99n, onProgress: () => undefined, stop })).toBe(1);
  const owed = await takeOwed(pool, { groups: 5, leaseMs: 1_000 });
  expect(owed.flatMap(({ jobs }) => jobs).map(({ routeId, identity }) => [routeId, identity])).toEqual([
    [1, hex(1)],
    [2, hex(2)],
  ]);
}

async function expectSettlement(pool: pg.Pool): Promise<void> {
  const [message] = await selectMessages(pool, [{ timeUs: atUs, identity: hex(1) }]);
  expect(message).toMatchObject({
    seq: 4,
    metricsText: '{"n": 12345678901234567890}',
    extraText: '{"a": 1}',
  });
  expect(await listQuarantine(pool, { tenantId: 'acme', limit: 5 })).toMatchObject([
    { reason: 'UNREGISTERED_DEVICE' },
  ]);

  // A key of before is known, and a resend of it is no new one; its message is found by the receipt's own time.
  expect(await selectMessageKeys(pool, [hex(2)])).toEqual(new Map([[hex(2), hex(9)]]));
  expect(await insertMessageKeys(pool, [{ identity: hex(2), bodyHash: hex(9), timeUs: atUs }])).toEqual(
    new Set(),
  );
  const receipt: Receipt = {
    kind: 'key',
    repeated: false,
    streamLife: 0,
    seq: 2,
    arrivedAtMs: Date.UTC(2026, 5, 1),
    timeUs: atUs,
    identity: hex(2),
    bodyTag: 0,
  };
  expect(await selectEvidence(pool, 'TELEMETRY', [receipt])).toMatchObject([
    { row: { streamSeq: 2 }, keyBodyHash: hex(9), claimed: true },
  ]);

  // What was claimed is claimed, and the next number is not.
  const positions = [3, 4].map((seq) => ({ seq, timestampNs: BigInt(seq + 10) }));
  const { claimed } = await inTransaction(pool, (db) => claim(db, 1, positions), beginSettling);
  expect([...claimed]).toEqual([4]);
}
