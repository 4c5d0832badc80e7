import { expect, test } from 'bun:test';
import mqtt from 'mqtt';
import { type FleetDevice, inParallel, post, registerFleet } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

interface Sent {
  readonly device: FleetDevice;
  readonly seq: number;
  readonly timeMs: number;
}

const messagesPerDevice = 40;
const body = ({ device, seq, timeMs }: Sent) => ({
  site_id: device.siteId,
  ts: timeMs,
  seq,
  metrics: { temp_c: seq + 0.25, count: seq },
});

async function sendSingle(stack: Stack, messages: readonly Sent[]): Promise<void> {
  await inParallel(messages, 64, async (message) => {
    const response = await post(stack.httpUrl, message.device, body(message));
    expect([response.status, await response.json()]).toEqual([202, { status: 'accepted' }]);
  });
}

async function sendBatches(stack: Stack, messages: readonly Sent[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(messages.length / 100) }, (_, i) =>
    messages.slice(i * 100, i * 100 + 100),
  );
  await inParallel(batches, 8, async (batch) => {
    const response = await fetch(`${stack.httpUrl}/ingest/v1/batch`, {
      method: 'POST',
      body: JSON.stringify({
        messages: batch.map((message) => ({
          tenant_id: message.device.tenantId,
          device_id: message.device.deviceId,
          provision_token: message.device.token,
          ...body(message),
        })),
      }),
    });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { accepted: number; rejected: number };
    expect([answer.accepted, answer.rejected]).toEqual([batch.length, 0]);
  });
}

async function sendMqtt(stack: Stack, messages: readonly Sent[]): Promise<void> {
  const byDevice = Map.groupBy(messages, (message) => message.device);
  await inParallel([...byDevice], 50, async ([device, own]) => {
    const client = await mqtt.connectAsync(stack.mqttUrl, {
      username: `${device.tenantId}/${device.deviceId}`,
      password: device.token,
      reconnectPeriod: 0,
    });
    const topic = `tenant/${device.tenantId}/device/${device.deviceId}/telemetry`;
    await Promise.all(
      own.map((message) => client.publishAsync(topic, JSON.stringify(body(message)), { qos: 1 })),
    );
    await client.endAsync();
  });
}

async function settledCount(stack: Stack): Promise<number> {
  const { rows } = await stack.pool.query(
    'select (select count(*) from telemetry) + (select count(*) from quarantine) as n',
  );
  return Number(rows[0].n);
}

test('20,000 messages over three doors from 500 devices of 10 tenants: each exactly once, and all that follows right', async () => {
  await using stack = await startStack({ roles: { gateway: 1, mqtt: 1, worker: 2 } });
  const limits = { ratePerSecond: 1_000_000, burst: 1_000_000 };
  const devices = await registerFleet(stack.pool, { tenants: 10, devicesPerTenant: 50, limits });
  const startMs = Date.now() - 60_000;
  const sent = devices.flatMap((device) =>
    Array.from({ length: messagesPerDevice }, (_, seq) => ({ device, seq, timeMs: startMs + seq })),
  );
  // Each device uses all three doors, in turns, and out of order.
  const door = (n: number) => sent.filter((message) => message.seq % 3 === n).reverse();
  await Promise.all([sendSingle(stack, door(0)), sendBatches(stack, door(1)), sendMqtt(stack, door(2))]);
  await until(async () => (await settledCount(stack)) >= sent.length, {
    what: `${sent.length} messages are settled`,
    timeoutMs: 60_000,
  });

  const { rows: telemetry } = await stack.pool.query(
    `select tenant_id, device_id, count(*)::int as n, count(distinct seq)::int as seqs, min(seq)::int as low,
              max(seq)::int as high, bool_and(site_id = 'site-' || substr(tenant_id, 2)) as own_site,
              bool_and((metrics->>'count')::int = seq and (metrics->>'temp_c')::numeric = seq + 0.25) as right_values,
              bool_and(time = to_timestamp($1::float8 / 1000) + seq * interval '1 ms') as right_times
       from telemetry group by 1, 2`,
    [startMs],
  );
  expect(telemetry).toHaveLength(500);
  expect(new Set(telemetry.map(({ tenant_id, device_id, ...rest }) => JSON.stringify(rest)))).toEqual(
    new Set([
      JSON.stringify({
        n: 40,
        seqs: 40,
        low: 0,
        high: 39,
        own_site: true,
        right_values: true,
        right_times: true,
      }),
    ]),
  );
  const { rows: quarantined } = await stack.pool.query('select reason, detail from quarantine limit 5');
  expect(quarantined).toEqual([]);

  await until(async () => (await stack.pool.query('select from latest_owed')).rowCount === 0, {
    what: 'latest values are written',
  });
  const { rows: sensors } = await stack.pool.query(
    `select count(*)::int as n, count(distinct (tenant_id, device_id))::int as devices,
              bool_and(case metric when 'temp_c' then latest = '39.25' and unit = '°C' else latest = '39' end) as latest,
              bool_and(value_type = 'number' and latest_seq = 39) as typed from sensors`,
  );
  expect(sensors).toEqual([{ n: 1000, devices: 500, latest: true, typed: true }]);

  const { rows: states } = await stack.pool.query(
    `select count(*)::int as n, bool_and(status = 'ONLINE') as online,
              bool_and(s.last_seen_at = t.newest) as last_seen
       from device_state s join (select tenant_id, device_id, max(arrived_at) as newest from telemetry group by 1, 2) t
         using (tenant_id, device_id)`,
  );
  expect(states).toEqual([{ n: 500, online: true, last_seen: true }]);

  const { rows: ledger } = await stack.pool.query(
    'select sum(stored)::int as stored, sum(duplicates)::int as duplicates, sum(quarantined)::int as quarantined from ledger',
  );
  expect(ledger).toEqual([{ stored: 20_000, duplicates: 0, quarantined: 0 }]);
}, 180_000);

test('at the default limits, what is RATE_LIMITED is what the documented model says', async () => {
  await using stack = await startStack();
  const devices = await registerFleet(stack.pool, { tenants: 2, devicesPerTenant: 10 });
  const sent = devices.flatMap((device, index) =>
    // The devices differ in how much they send: within the limit, at it, and far beyond.
    Array.from({ length: 5 + index * 5 }, (_, seq) => ({ device, seq, timeMs: Date.now() })),
  );
  await sendSingle(stack, sent);
  await until(async () => (await settledCount(stack)) >= sent.length, {
    what: 'all are settled',
    timeoutMs: 30_000,
  });

  // burst 20 at 5/s: in each window of 4 s of arrival time a device has 20 messages accepted.
  const { rows } = await stack.pool.query(
    `with arrived as (
         select tenant_id, device_id, arrived_at, true as stored from telemetry
         union all select tenant_id, device_id, arrived_at, false from quarantine where reason = 'RATE_LIMITED')
       select tenant_id, device_id, floor(extract(epoch from arrived_at) / 4) as window,
              count(*) filter (where stored)::int as stored, count(*) filter (where not stored)::int as limited
       from arrived group by 1, 2, 3`,
  );
  expect(rows.reduce((sum, row) => sum + row.stored + row.limited, 0)).toBe(sent.length);
  expect(rows.filter((row) => row.stored !== Math.min(20, row.stored + row.limited))).toEqual([]);
  expect(rows.some((row) => row.limited > 0)).toBe(true);
}, 120_000);
