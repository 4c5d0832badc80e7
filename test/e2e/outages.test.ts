import { expect, test } from 'bun:test';
import pg from 'pg';
import { migrate } from '../../src/store/migrate.ts';
import { insertDevices, post } from '../harness/fleet.ts';
import { startTestCluster } from '../harness/postgres-cluster.ts';
import { startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const roomy = { ratePerSecond: 100_000, burst: 1_000_000 };

test('NATS away: 503 with Retry-After; back again: 202 without a restart of anything, and every 202 is a row', async () => {
  await using stack = await startStack();
  await insertDevices(stack.pool, [device], roomy);
  let seq = 0;
  const accepted: number[] = [];
  const send = async () => {
    const own = seq++;
    const response = await post(stack.httpUrl, device, {
      site_id: 's1',
      ts: Date.now(),
      seq: own,
      metrics: { n: own },
    });
    if (response.status === 202) accepted.push(own);
    return response;
  };
  expect((await send()).status).toBe(202);
  await stack.nats.stop();
  for (let i = 0; i < 3; i += 1) {
    const refused = await send();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/);
    expect(await refused.json()).toMatchObject({ detail: 'Ingestion temporarily unavailable' });
  }
  await stack.nats.start();
  await until(async () => (await send()).status === 202, { what: 'the gateway answers 202 again' });
  for (let i = 0; i < 20; i += 1) expect((await send()).status).toBe(202);
  const stored = await until(
    async () => {
      const { rows } = await stack.pool.query<{ seq: string }>('select seq from telemetry');
      const seqs = rows.map((row) => Number(row.seq));
      return accepted.every((each) => seqs.includes(each)) && seqs;
    },
    { what: 'every accepted message is stored', timeoutMs: 20_000 },
  );
  expect(new Set(stored).size).toBe(stored.length);
}, 60_000);

test('PostgreSQL away for 30 s: 202 goes on, nothing is quarantined for it, everything is stored after', async () => {
  await using cluster = await startTestCluster();
  const pool = new pg.Pool({ connectionString: cluster.url, max: 2 });
  pool.on('error', () => {});
  await migrate(pool);
  await insertDevices(pool, [device], roomy);
  {
    await using stack = await startStack({ databaseUrl: cluster.url });
    let seq = 0;
    const send = async () => {
      const body = { site_id: 's1', ts: Date.now(), seq: seq++, metrics: { n: seq } };
      expect((await post(stack.httpUrl, device, body)).status).toBe(202);
    };
    for (let i = 0; i < 50; i += 1) await send();
    await cluster.stop();
    const back = Date.now() + 30_000;
    while (Date.now() < back) {
      await send();
      await Bun.sleep(25);
    }
    await cluster.start();
    for (let i = 0; i < 50; i += 1) await send();
    const counts = async () => {
      const { rows } = await pool.query(
        `select (select count(*)::int from telemetry) as stored, (select count(distinct seq)::int from telemetry) as seqs,
                  (select count(*)::int from quarantine) as quarantined`,
      );
      return rows[0];
    };
    await until(async () => (await counts()).stored >= seq, {
      what: 'everything is stored',
      timeoutMs: 60_000,
    });
    expect(await counts()).toEqual({ stored: seq, seqs: seq, quarantined: 0 });
  }
  await pool.end();
}, 150_000);
