import { expect, test } from 'bun:test';
import type pg from 'pg';
import { evictDeadLetters } from '../../src/store/maintenance/evict-dead-letters.ts';
import { sweepStatus } from '../../src/store/maintenance/sweep-status.ts';
import { insertDeadLetters, type NewDeadLetter } from '../../src/store/routes/insert-dead-letters.ts';
import { insertRoute, totalsOf } from '../worker/routing/insert-route.ts';
import { withDatabase } from './with-database.ts';

const thresholds = { staleAfterMs: 60_000, offlineAfterMs: 600_000 };

test('a device that goes silent is told to tenants with a route for it, with what it was before, and only once', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into tenants (tenant_id) values ('acme'), ('off'), ('none')`);
    await insertRoute(pool, { name: 'silence', firesOn: ['status', 'message'] });
    await insertRoute(pool, { tenantId: 'off', name: 'silence', firesOn: ['status'], enabled: false });
    await insertRoute(pool, { tenantId: 'none', name: 'messages' });
    for (const tenant of ['acme', 'off', 'none'])
      await pool.query(
        `insert into device_state values
          ($1, 'gone', now() - interval '900 s', 'telemetry', 'STALE', now()),
          ($1, 'stale', now() - interval '90 s', 'telemetry', 'ONLINE', now())`,
        [tenant],
      );
    expect(await sweepStatus(pool, { ...thresholds, pagesPerChunk: 1 })).toBe(6);
    expect(await sweepStatus(pool, thresholds)).toBe(0);
    const { rows } = await pool.query(`
      select o.kind, o.tenant_id, o.event ->> 'device_id' as device, o.event ->> 'status' as status,
        o.event ->> 'previous' as previous, (o.event ->> 'since')::timestamptz = s.status_since as exact, due_at <= now() as due
      from route_outbox o join device_state s on s.tenant_id = o.tenant_id and s.device_id = o.event ->> 'device_id'`);
    expect(rows).toEqual([
      {
        kind: 'status',
        tenant_id: 'acme',
        device: 'gone',
        status: 'OFFLINE',
        previous: 'STALE',
        exact: true,
        due: true,
      },
    ]);
  }));

const letter = (tenantId: string, routeId: number): NewDeadLetter => ({
  tenantId,
  routeId,
  routeName: undefined,
  reason: 'REFUSED',
  detail: 'no',
  kind: 'message',
  time: '2026-06-01T00:00:00.000001Z',
  identity: 'ab'.repeat(16),
  eventText: undefined,
  attempts: 1,
  firstAtMs: undefined,
});

async function lettersOf(pool: pg.Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ tenant_id: string; n: number }>(
    'select tenant_id, count(*)::int as n from dead_letters group by tenant_id',
  );
  return Object.fromEntries(rows.map((row) => [row.tenant_id, row.n]));
}

test('dead letters that are too many of a tenant, or too old, go, the oldest first, and are counted', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into tenants (tenant_id) values ('acme'), ('rival')`);
    const route = await insertRoute(pool, { name: 'hooks' });
    await insertDeadLetters(pool, [
      ...Array.from({ length: 25 }, () => letter('acme', route)),
      ...Array.from({ length: 5 }, () => letter('rival', 99)),
    ]);
    const { rows: newest } = await pool.query(
      'select max(dead_letter_id) as id from dead_letters where route_id = $1',
      [route],
    );
    expect(await evictDeadLetters(pool, { days: 30, maxPerTenant: 10, rowsPerChunk: 4 })).toBe(15);
    expect(await lettersOf(pool)).toEqual({ acme: 10, rival: 5 });
    const { rows } = await pool.query(
      'select max(dead_letter_id) as id, min(route_name) as name from dead_letters where route_id = $1',
      [route],
    );
    expect(rows).toEqual([{ ...newest[0], name: 'hooks' }]);
    expect(await totalsOf(pool, route)).toMatchObject({ evicted: 15 });
    await pool.query(
      `update dead_letters set dead_at = now() - interval '31 days' where tenant_id = 'rival'`,
    );
    expect(await evictDeadLetters(pool, { days: 30, maxPerTenant: 10 })).toBe(5);
    expect(await lettersOf(pool)).toEqual({ acme: 10 });
    expect(await evictDeadLetters(pool, { days: 30, maxPerTenant: 10 })).toBe(0);
  }));
