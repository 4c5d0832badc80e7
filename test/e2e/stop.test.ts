import { expect, test } from 'bun:test';
import mqtt from 'mqtt';
import pg from 'pg';
import { migrate } from '../../src/store/migrate.ts';
import { insertDevices, post } from '../harness/fleet.ts';
import { freezeTree } from '../harness/freeze.ts';
import { startTestCluster, type TestCluster } from '../harness/postgres-cluster.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';
import { freeze } from '../stream/stream-fixture.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const roomy = { ratePerSecond: 100_000, burst: 1_000_000 };

/** Takes one server away and returns what brings it back. */
type Fault = (servers: { stack: Stack; cluster: TestCluster }) => Promise<() => Promise<void> | void>;

const faults: readonly (readonly [string, Fault])[] = [
  [
    'NATS is away',
    async ({ stack }) => {
      await stack.nats.kill();
      return stack.nats.start;
    },
  ],
  [
    'NATS is frozen',
    async ({ stack }) => {
      const pid = stack.nats.pid();
      await freeze(pid);
      return () => void process.kill(pid, 'SIGCONT');
    },
  ],
  [
    'PostgreSQL is away',
    async ({ cluster }) => {
      await cluster.kill();
      return cluster.start;
    },
  ],
  ['PostgreSQL is frozen', ({ cluster }) => freezeTree(cluster.pid())],
];

/** Sends without pause over HTTP until told to stop; which messages were answered 202, and with what else. */
function startLoad(stack: Stack) {
  const accepted: number[] = [];
  const others = new Set<string>();
  const state = { seq: 0, stopped: false };
  const lane = async () => {
    while (!state.stopped) {
      const seq = state.seq++;
      try {
        const response = await post(stack.httpUrl, device, {
          site_id: 's1',
          ts: Date.now(),
          seq,
          metrics: { n: seq },
        });
        if (response.status === 202) accepted.push(seq);
        else
          others.add(
            `${response.status} ${response.headers.has('retry-after') ? 'with' : 'without'} Retry-After`,
          );
      } catch {
        // Refused or reset: the gateway is going, or gone.
        await Bun.sleep(20);
      }
    }
  };
  const lanes = Promise.all(Array.from({ length: 8 }, lane));
  return {
    accepted,
    others,
    stop: async () => {
      state.stopped = true;
      await lanes;
    },
  };
}

test.each(faults)(
  '%s: every role under load ends in order within 15 s, and every 202 is one row',
  async (_, takeAway) => {
    await using cluster = await startTestCluster();
    const pool = new pg.Pool({ connectionString: cluster.url, max: 2 });
    pool.on('error', () => {});
    await migrate(pool);
    await insertDevices(pool, [device], roomy);
    {
      // What an ended worker cannot give back, since its server is away, comes again after this time.
      const env = { TRIBUTARY_ACK_WAIT_MS: '3000' };
      await using stack = await startStack({ databaseUrl: cluster.url, env });
      const roles = [...stack.roles];
      const client = mqtt.connect(stack.mqttUrl, {
        username: 'acme/d1',
        password: device.token,
        reconnectPeriod: 0,
      });
      client.on('error', () => {});
      await until(() => client.connected, { what: 'the MQTT client is connected' });
      const load = startLoad(stack);
      await until(() => load.accepted.length > 500, { what: 'messages are accepted' });
      const bringBack = await takeAway({ stack, cluster });
      client.publish(
        'tenant/acme/device/d1/telemetry',
        '{"site_id":"s1","metrics":{"n":-1}}',
        { qos: 1 },
        () => {},
      );
      const whenGone = load.accepted.length + load.others.size;
      await until(() => load.accepted.length + load.others.size > whenGone, { what: 'the doors feel it' });

      const startedMs = performance.now();
      const took = await Promise.all(
        roles.map(async (role) => ({
          role: role.role,
          code: await role.stop(),
          inTime: performance.now() - startedMs < 15_000,
          ms: Math.round(performance.now() - startedMs),
        })),
      );
      console.log(took.map(({ role, ms }) => `${role} ended after ${ms} ms`).join(', '));
      await load.stop();
      client.end(true);
      await bringBack();
      expect(took.map(({ role, code, inTime }) => [role, code, inTime])).toEqual([
        ['gateway', 0, true],
        ['mqtt', 0, true],
        ['worker', 0, true],
      ]);
      expect([...load.others].filter((other) => other !== '503 with Retry-After')).toEqual([]);

      await stack.start('worker');
      await until(
        async () => {
          const { rows } = await pool.query<{ seq: string }>(
            'select seq from telemetry where seq is not null',
          );
          const seqs = new Set(rows.map(({ seq }) => Number(seq)));
          expect(rows.length).toBe(seqs.size);
          return load.accepted.every((seq) => seqs.has(seq));
        },
        { what: 'every 202 is a row', timeoutMs: 60_000, everyMs: 250 },
      );
    }
    await pool.end();
  },
  150_000,
);
