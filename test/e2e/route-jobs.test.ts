import { expect, test } from 'bun:test';
import { parseRouteJob, type RouteJob } from '../../src/model/route-job.ts';
import { connectNats } from '../../src/stream/connection.ts';
import { inParallel, post, registerFleet } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { silent, storedMessages } from '../stream/stream-fixture.ts';
import { insertRoute, totalsOf } from '../worker/routing/insert-route.ts';

const roomy = { ratePerSecond: 100_000, burst: 1_000_000 };

async function jobsIn(stack: Stack): Promise<RouteJob[]> {
  const nc = await connectNats({ url: stack.nats.url, name: 'test', log: silent });
  try {
    const messages = await storedMessages(nc, 'ROUTES');
    for (const { text } of messages) expect(text).not.toContain('secret');
    return messages.map(({ text }) => parseRouteJob(text));
  } finally {
    await nc.close();
  }
}

const isDrained = async (stack: Stack) => {
  const { rows } = await stack.pool.query('select count(*)::int as rows from route_outbox');
  return rows[0].rows === 0;
};

test('workers killed under load: each accepted message that a route wants becomes its job, no other does, none twice', async () => {
  await using stack = await startStack({ roles: { mqtt: 0, worker: 2 } });
  const devices = await registerFleet(stack.pool, { tenants: 2, devicesPerTenant: 5, limits: roomy });
  const hot = await insertRoute(stack.pool, {
    tenantId: 't0',
    name: 'hot',
    condition: 'msg_type == "telemetry" && metrics.n % 2.0 == 0.0'.replace(
      'metrics.n % 2.0 == 0.0',
      'metrics.even',
    ),
  });
  const one = await insertRoute(stack.pool, {
    tenantId: 't0',
    name: 'one',
    filter: 'tenant/t0/device/d3/telemetry',
  });
  await insertRoute(stack.pool, { tenantId: 't0', name: 'off', enabled: false });

  let running = true;
  const killing = (async () => {
    for (let kills = 0; running && kills < 6; kills += 1) {
      await Bun.sleep(250);
      const [victim] = stack.roles.filter((role) => role.role === 'worker').slice(-2);
      await victim?.kill();
      await stack.start('worker');
    }
  })();
  const bodies = Array.from({ length: 3_000 }, (_, n) => n);
  await inParallel(bodies, 16, async (n) => {
    const device = devices[n % devices.length];
    if (device === undefined) throw new Error('no device');
    const body = { site_id: device.siteId, metrics: { n, even: n % 4 === 0 } };
    const answer = await post(stack.httpUrl, device, body, { headers: { 'idempotency-key': `k${n}` } });
    expect(answer.status).toBe(202);
  });
  running = false;
  await killing;
  await until(
    async () =>
      (await stack.pool.query('select count(*)::int as rows from telemetry')).rows[0].rows === bodies.length,
    { what: 'everything is stored', timeoutMs: 30_000 },
  );
  await until(() => isDrained(stack), { what: 'the outbox is empty', timeoutMs: 20_000 });

  const { rows } = await stack.pool.query<{ id: string; device_id: string; even: boolean }>(
    `select replace(identity::text, '-', '') as id, device_id, (metrics ->> 'even')::boolean as even
     from telemetry where tenant_id = 't0'`,
  );
  const wanted = rows.flatMap(({ id, device_id, even }) => [
    ...(even ? [`r1.${hot}.${id}`] : []),
    ...(device_id === 'd3' ? [`r1.${one}.${id}`] : []),
  ]);
  const jobs = await jobsIn(stack);
  const ids = jobs.map(({ routeId, identity }) => `r1.${routeId}.${identity}`);
  expect(ids.toSorted()).toEqual(wanted.toSorted());
  const totals = await totalsOf(stack.pool, hot);
  expect(totals).toMatchObject({ matched: rows.filter(({ even }) => even).length, dead: 0 });
}, 90_000);
