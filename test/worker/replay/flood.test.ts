import { expect, test } from 'bun:test';
import { selectQuarantineStats } from '../../../src/store/quarantine/stats.ts';
import { ample, createWorld } from './quarantine-world.ts';

const poison = (from: number, count: number, tenantId = 't1') =>
  Array.from({ length: count }, (_, index) => ({
    seq: from + index,
    subject: `telemetry.${tenantId}`,
    payload: { site_id: undefined },
    envelope: { tenant_id: tenantId, topic: `tenant/${tenantId}/device/d1/telemetry` },
  }));

test('a flood is counted to the last message, but does not grow the table beyond a tenant’s share', async () => {
  await using world = await createWorld({ limits: { ...ample, tenant: { rows: 100, bytes: 1e9 } } });
  await world.register();
  for (let from = 1; from <= 2_000; from += 500) await world.send(poison(from, 500));
  expect(await world.send([{ seq: 9_999 }])).toEqual(['stored']);
  expect(await world.count('quarantine')).toBe(100);
  expect(await world.ledger()).toEqual({ stored: 1, duplicates: 0, quarantined: 2_000, internal: 0 });
  expect(await selectQuarantineStats(world.pool, undefined)).toMatchObject([
    { tenant_id: 't1', reason: 'MISSING_SITE_ID', held: 100, quarantined: 2_000n, evicted: 1_900n },
  ]);
});

test('made-up tenants share one budget, and take nothing from a registered one', async () => {
  await using world = await createWorld({ limits: { ...ample, unknown: { rows: 10, bytes: 1e9 } } });
  for (let name = 0; name < 5; name += 1) await world.send(poison(1 + name * 10, 10, `made-up-${name}`));
  await world.send(poison(1_000, 10));
  await world.send([{ seq: 2_000, subject: 'telemetry.a.b.c' }]);
  expect(
    await world.rows('select budget, count(*)::int as rows from quarantine group by 1 order by 1'),
  ).toEqual([
    { budget: '', rows: 10 },
    { budget: 't1', rows: 10 },
  ]);
  expect(
    await world.rows(`select sum(evicted)::int as evicted from quarantine_totals where budget = ''`),
  ).toEqual([{ evicted: 41 }]);
});

test('bytes count, too', async () => {
  await using world = await createWorld({ limits: { ...ample, tenant: { rows: 1e9, bytes: 10_000 } } });
  await world.send(
    poison(1, 20).map((each) => ({ ...each, payload: { ...each.payload, note: 'x'.repeat(2_000) } })),
  );
  expect(await world.count('quarantine')).toBe(4);
});

test('an attempt that fails takes no second share', async () => {
  await using world = await createWorld({ limits: { ...ample, tenant: { rows: 20, bytes: 1e9 } } });
  const { pool } = world.database;
  await pool.query('alter table ledger add constraint away check (stored < 0)');
  // The plan is settled again as it was, as the loop does it.
  const plan = await world.plan(poison(1, 20));
  await expect(world.settle(plan)).rejects.toThrow('away');
  await pool.query('alter table ledger drop constraint away');
  await world.settle(plan);
  expect(await world.count('quarantine')).toBe(20);
});

test('counters outlive eviction, replay and purge', async () => {
  await using world = await createWorld();
  await world.send([1, 2, 3, 4, 5].map((seq) => ({ seq, payload: { metrics: { n: seq } } })));
  await world.register();
  await world.replay({ ids: [1n, 2n] });
  expect(await selectQuarantineStats(world.pool, 't1')).toMatchObject([
    { reason: 'UNREGISTERED_DEVICE', held: 3, quarantined: 5n, replayed: 2n, evicted: 0n, purged: 0n },
  ]);
});
