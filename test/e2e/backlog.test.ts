import { expect, test } from 'bun:test';
import { connect } from '@nats-io/transport-node';
import { ingestTopic } from '../../src/model/identifiers.ts';
import { type FleetDevice, inParallel, registerFleet } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** 200,000 in the run whose figures stand in docs/limits.md. */
const backlog = Number(process.env.BACKLOG ?? 6_000);
const perBatch = 100;
/** The defaults: 5 messages a second and device, 20 in a window of 4 s. */
const window = { burst: 20, ms: 4_000 } as const;
/** Of this many messages one is the loud device's. */
const loudEvery = Math.max(10, Math.round(backlog / 1_000));

async function sendBacklog(stack: Stack, devices: readonly FleetDevice[], loud: FleetDevice): Promise<void> {
  const batches = Array.from({ length: Math.ceil(backlog / perBatch) }, (_, i) => i);
  await inParallel(batches, 8, async (batch) => {
    const messages = Array.from({ length: perBatch }, (_, i) => {
      const n = batch * perBatch + i;
      const device = n % loudEvery === 0 ? loud : (devices[n % devices.length] ?? loud);
      return {
        tenant_id: device.tenantId,
        device_id: device.deviceId,
        provision_token: device.token,
        site_id: device.siteId,
        ts: Date.now(),
        seq: n,
        metrics: { n },
      };
    });
    const response = await fetch(`${stack.httpUrl}/ingest/v1/batch`, {
      method: 'POST',
      body: JSON.stringify({ messages }),
    });
    expect(await response.json()).toMatchObject({ accepted: perBatch });
  });
}

/** So many windows' worth of arrivals; in each of them fewer messages than the limit. */
const steady = { windows: 20, perWindow: 15 } as const;

/**
 * A device that sent at its pace, before: the envelopes give their arrival. Judged by the time of judging instead,
 * nearly all of them would be over the limit.
 */
async function publishSteady(stack: Stack, device: FleetDevice): Promise<void> {
  const { tenantId: tenant_id, deviceId: device_id } = device;
  const nc = await connect({ servers: stack.nats.url });
  const firstMs = (Math.floor(Date.now() / window.ms) - steady.windows) * window.ms;
  const arrivals = Array.from({ length: steady.windows * steady.perWindow }, (_, n) => {
    const [inWindow, windowNo] = [n % steady.perWindow, Math.floor(n / steady.perWindow)];
    return firstMs + windowNo * window.ms + inWindow * 100;
  });
  await inParallel(arrivals, 50, async (ts) => {
    const payload = { site_id: device.siteId, metrics: { steady: true }, provision_token: device.token };
    const topic = ingestTopic(tenant_id, device_id, 'telemetry');
    const envelope = { topic, tenant_id, device_id, msg_type: 'telemetry', username: '', payload, ts };
    const { error } = (
      await nc.request(`telemetry.${tenant_id}`, JSON.stringify(envelope), { timeout: 10_000 })
    ).json<{ error?: unknown }>();
    expect(error).toBeUndefined();
  });
  await nc.close();
}

interface Windowed {
  readonly device_id: string;
  readonly stored: number;
  readonly limited: number;
}

/** Each device's windows by arrival: what was stored, and what the limiter refused. */
async function windows(stack: Stack): Promise<Windowed[]> {
  const { rows } = await stack.pool.query<Windowed>(
    `select tenant_id || '/' || device_id as device_id, floor(extract(epoch from arrived_at) * 1000 / $1) as window_no,
            count(*) filter (where reason is null)::int as stored, count(*) filter (where reason = 'RATE_LIMITED')::int as limited
     from (select tenant_id, device_id, arrived_at, null as reason from telemetry
           union all select tenant_id, device_id, arrived_at, reason from quarantine) as m
     group by 1, 2`,
    [window.ms],
  );
  return rows;
}

test(`a backlog of ${backlog} messages built without workers is limited as it would have been live, and no more`, async () => {
  const env = { TRIBUTARY_CANARY_INTERVAL_MS: '0', TRIBUTARY_QUARANTINE_MAX_PER_TENANT: '1000000' };
  await using stack = await startStack({ roles: { gateway: 1, mqtt: 0, worker: 0 }, env });
  // So many that each stays below its limit when they are sent as fast as it goes: a tenant's is 20,000 in a window.
  const tenants = Math.max(5, Math.ceil(backlog / 10_000));
  const devices = await registerFleet(stack.pool, {
    tenants,
    devicesPerTenant: Math.max(100, Math.ceil(backlog / 20 / tenants)),
  });
  const [loud, steadyDevice, ...others] = devices;
  if (loud === undefined || steadyDevice === undefined) throw new Error('no device');
  const sendingMs = performance.now();
  await sendBacklog(stack, others, loud);
  await publishSteady(stack, steadyDevice);
  const published = backlog + steady.windows * steady.perWindow;
  const drainingMs = performance.now();
  await Promise.all([stack.start('worker'), stack.start('worker')]);
  const settled = async () => {
    const { rows } = await stack.pool.query<{ n: number }>(
      'select coalesce(sum(stored + duplicates + quarantined), 0)::int as n from ledger',
    );
    return rows[0]?.n ?? 0;
  };
  await until(async () => (await settled()) >= published, {
    what: 'the backlog is settled',
    timeoutMs: 300_000,
    everyMs: 100,
  });
  const drainedMs = performance.now();
  const seen = await windows(stack);
  const total = (of: (each: Windowed) => number) => seen.reduce((sum, each) => sum + of(each), 0);
  const [stored, limited] = [total((each) => each.stored), total((each) => each.limited)];
  const due = total((each) => Math.max(0, each.stored + each.limited - window.burst));
  console.log(
    `${published} messages of ${devices.length} devices sent in ${Math.round(drainingMs - sendingMs)} ms, settled in ` +
      `${Math.round(drainedMs - drainingMs)} ms: ${stored} stored, ${limited} RATE_LIMITED, ${due} due live`,
  );
  expect(stored + limited).toBe(published);
  // Nobody is refused who would have been taken live …
  expect(
    seen.filter((each) => each.limited > Math.max(0, each.stored + each.limited - window.burst)),
  ).toEqual([]);
  // … while the limiter does its work: two workers share their counts, and err towards accepting.
  expect(limited).toBeGreaterThan(0);
  expect(
    seen
      .filter((each) => each.limited > 0)
      .every((each) => each.device_id === `${loud.tenantId}/${loud.deviceId}`),
  ).toBe(true);
}, 600_000);
