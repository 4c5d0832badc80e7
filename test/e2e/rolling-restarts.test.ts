import { expect, test } from 'bun:test';
import mqtt from 'mqtt';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { type FleetDevice, registerFleet } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

/** 50 in the run whose figures stand in docs/guarantees.md. */
const rounds = Number(process.env.ROLLING_RESTARTS ?? 5);
const httpLanes = 12;
/** Between two messages of one lane: the machine shall restart processes, too. */
const pauseMs = 5;

interface Counts {
  /** Answered 202: their keys. */
  readonly accepted: string[];
  /** 503 with Retry-After. */
  unavailable: number;
  /** Refused, or reset before a byte of the answer. */
  unanswered: number;
  /** Anything else. */
  readonly violations: string[];
}

/** One message until it is answered 202, always under the same key. */
async function sendUntilAccepted(
  url: string,
  device: FleetDevice,
  key: string,
  counts: Counts,
): Promise<void> {
  const path = `/ingest/v1/tenant/${device.tenantId}/device/${device.deviceId}/telemetry`;
  for (;;) {
    let response: Response;
    try {
      response = await fetch(url + path, {
        method: 'POST',
        headers: { 'x-provision-token': device.token, 'idempotency-key': key },
        body: JSON.stringify({ site_id: device.siteId, metrics: { n: 1 }, key }),
      });
    } catch {
      counts.unanswered += 1;
      await Bun.sleep(20);
      continue;
    }
    const text = await response.text().catch((error) => `broken off: ${error}`);
    if (response.status === 202 && text === '{"status":"accepted"}') {
      counts.accepted.push(key);
      return;
    }
    const retryAfter = response.headers.get('retry-after');
    if (response.status !== 503 || retryAfter === null) counts.violations.push(`${response.status} ${text}`);
    else counts.unavailable += 1;
    await Bun.sleep(50);
  }
}

function startHttpLoad(stack: Stack, devices: readonly FleetDevice[]) {
  const counts: Counts = { accepted: [], unavailable: 0, unanswered: 0, violations: [] };
  const url = stack.httpUrl;
  let stopped = false;
  const lanes = Array.from({ length: httpLanes }, async (_, lane) => {
    for (let n = 0; !stopped; n += 1) {
      const device = devices[(lane + n) % devices.length];
      if (device !== undefined) await sendUntilAccepted(url, device, `http-${lane}-${n}`, counts);
      await Bun.sleep(pauseMs);
    }
  });
  return {
    counts,
    stop: async () => {
      stopped = true;
      await Promise.all(lanes);
    },
  };
}

/** MQTT.js keeps what has no PUBACK and sends it again after it has reconnected. */
function startMqttLoad(stack: Stack, device: FleetDevice) {
  const acknowledged: string[] = [];
  let stopped = false;
  const client = mqtt.connect(stack.mqttUrl, {
    username: `${device.tenantId}/${device.deviceId}`,
    password: device.token,
    reconnectPeriod: 50,
  });
  client.on('error', () => {});
  const running = (async () => {
    for (let n = 0; !stopped; n += 1) {
      const key = `mqtt-${n}`;
      const body = { site_id: device.siteId, msg_id: key, key, metrics: { n } };
      const topic = `tenant/${device.tenantId}/device/${device.deviceId}/telemetry`;
      await client.publishAsync(topic, JSON.stringify(body), { qos: 1 });
      acknowledged.push(key);
      await Bun.sleep(pauseMs);
    }
    await client.endAsync();
  })();
  return {
    acknowledged,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

/** One after the other, each as an orchestrator would: SIGTERM, wait, start anew. */
async function restartEveryRole(stack: Stack, running: Stack['roles'][number][]): Promise<string[]> {
  const faults: string[] = [];
  for (const role of running.splice(0)) {
    const code = await role.stop();
    if (code !== 0) faults.push(`${role.role} ended with ${code}: ${role.log().slice(-500)}`);
    running.push(await stack.start(role.role));
  }
  return faults;
}

async function storedKeys(stack: Stack): Promise<string[]> {
  const { rows } = await stack.pool.query<{ key: string }>(`select extra->>'key' as key from telemetry`);
  return rows.map(({ key }) => key);
}

test(
  `${rounds} rolling restarts of every role under load: 202 or 503 with Retry-After, nothing lost, nothing twice`,
  async () => {
    const [httpPort, mqttPort] = [
      await findFreePort({ random: Math.random }),
      await findFreePort({ random: Math.random }),
    ];
    await using stack = await startStack({
      roles: { gateway: 2, mqtt: 1, worker: 2 },
      env: {
        TRIBUTARY_GATEWAYS: '2',
        TRIBUTARY_HTTP_PORT: String(httpPort),
        TRIBUTARY_MQTT_PORT: String(mqttPort),
      },
    });
    const devices = await registerFleet(stack.pool, {
      tenants: 2,
      devicesPerTenant: 10,
      limits: { ratePerSecond: 100_000, burst: 1_000_000 },
    });
    const [mqttDevice] = devices;
    if (mqttDevice === undefined) throw new Error('no device');
    const http = startHttpLoad(stack, devices);
    const overMqtt = startMqttLoad(stack, mqttDevice);
    const running = [...stack.roles];
    const faults: string[] = [];
    for (let round = 0; round < rounds; round += 1) faults.push(...(await restartEveryRole(stack, running)));
    await Promise.all([http.stop(), overMqtt.stop()]);

    const { accepted, unavailable, unanswered, violations } = http.counts;
    const answered = [...accepted, ...overMqtt.acknowledged];
    console.log(
      `${rounds} rounds, ${rounds * running.length} restarts: ${accepted.length} × 202, ${overMqtt.acknowledged.length} PUBACKs, ` +
        `${unavailable} × 503 with Retry-After, ${unanswered} refused or reset and sent again, ${violations.length} others`,
    );
    expect(violations).toEqual([]);
    expect(faults).toEqual([]);
    expect(new Set(answered).size).toBe(answered.length);
    await until(async () => (await storedKeys(stack)).length >= answered.length, {
      what: 'everything that was answered is stored',
      timeoutMs: 60_000,
      everyMs: 250,
    });
    expect((await storedKeys(stack)).toSorted()).toEqual(answered.toSorted());
    const audit = await until(
      async () => {
        const seen = (await stack.cliJson('audit')) as { in_flight: number; unaccounted: number };
        return seen.in_flight === 0 && seen;
      },
      { what: 'nothing is in flight any more' },
    );
    expect(audit.unaccounted).toBe(0);
  },
  60_000 + rounds * 60_000,
);
