import { expect, test } from 'bun:test';
import { startRegistryFeed } from '../../../src/store/registry-feed.ts';
import { insertRoute } from '../../worker/routing/insert-route.ts';
import { silentLog, withDatabase } from '../with-database.ts';

test('the feed knows each tenant’s enabled routes, and what was changed, disabled or deleted, as of a refresh', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into tenants (tenant_id) values ('acme'), ('rival')`);
    const hot = await insertRoute(pool, { name: 'hot', condition: 'metrics.temp > 30', firesOn: ['status'] });
    const clock = () => performance.now();
    const options = { pool, pollMs: 3_600_000, devices: false, log: silentLog, clock };
    const feed = startRegistryFeed({ ...options, routes: true });
    const without = startRegistryFeed(options);
    const names = (tenantId: string) => feed.routesOf(tenantId).map(({ name }) => name);
    try {
      await Promise.all([feed.ready, without.ready]);
      expect(feed.routesOf('acme')).toEqual([
        {
          routeId: hot,
          tenantId: 'acme' as never,
          name: 'hot',
          topicFilter: '#',
          condition: 'metrics.temp > 30',
          firesOn: ['status'],
          ratePerSecond: 1_000_000,
          burst: 1_000_000,
          enabled: true,
        },
      ]);
      expect(without.routesOf('acme')).toEqual([]);
      const before = feed.routesOf('acme');
      await insertRoute(pool, { tenantId: 'rival', name: 'theirs' });
      await feed.refresh();
      expect(feed.routesOf('acme')).toBe(before);
      expect(names('rival')).toEqual(['theirs']);
      await insertRoute(pool, { name: 'cold' });
      await pool.query(`update routes set enabled = false where name = 'hot'`);
      await feed.refresh();
      expect(names('acme')).toEqual(['cold']);
      await pool.query(`update routes set enabled = true, name = 'warm' where name = 'hot'`);
      await pool.query(`delete from routes where name = 'cold'`);
      await feed.refresh();
      expect(names('acme')).toEqual(['warm']);
      // With its tenant.
      await pool.query(`delete from tenants where tenant_id = 'rival'`);
      await feed.refresh();
      expect(names('rival')).toEqual([]);
    } finally {
      await Promise.all([feed.drain(), without.drain()]);
    }
  }));
