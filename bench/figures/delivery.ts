import { deviceAt, standardFleet } from '../load/fleet.ts';
import { type HttpConnection, openHttpConnection } from '../load/http-connection.ts';
import { singleRequest } from '../load/http-requests.ts';
import { runOpenLoop } from '../load/open-loop.ts';
import { type BadReceivers, destinationsOnLoopback, startBadReceivers } from '../measure/bad-receivers.ts';
import { addRoutes, removeRoutes } from '../measure/bench-routes.ts';
import { Histogram, type LatencySummary } from '../measure/histogram.ts';
import { type RoleName, startRole } from '../measure/roles.ts';
import { spreadOf } from '../measure/statistics.ts';
import type { Bench, Figure, ResultRow } from './figure.ts';
import { comparedRow, compareInTurn } from './in-turn.ts';

const ratePerSecond = 100;
/** All devices are of this tenant: one in ten of the fleet. */
const tenantId = 't0';
/** The last messages have this long to arrive. */
const arriveWithinMs = 20_000;

interface Measured {
  /** From the 202 to the receiver's read. */
  readonly delivery: LatencySummary;
  /** From when the message fell due at the door. */
  readonly whole: LatencySummary;
}

/** How long a healthy webhook waits for a message, beside others that are not healthy. */
export const delivery: Figure = {
  name: 'delivery',
  title: 'Delivery to a healthy webhook, beside five bad ones',
  isSlow: true,
  async run(bench) {
    await bench.backend.clear();
    await bench.backend.register(standardFleet);
    const found: { alone: Measured[]; beside: Measured[] } = { alone: [], beside: [] };
    const side = (name: keyof typeof found) => async () => {
      const measured = await measure(bench, name === 'beside');
      bench.say(
        `${name}: p50 ${measured.delivery.p50Ms.toFixed(1)} ms, p99 ${measured.delivery.p99Ms.toFixed(1)} ms`,
      );
      found[name].push(measured);
      return measured.delivery.p99Ms;
    };
    const compared = await compareInTurn(bench.effort.rounds, { ours: side('beside'), rival: side('alone') });
    await removeRoutes(bench.backend);
    const wanted = { of: 'ratio', comparison: 'below', value: 2 } as const;
    return {
      rows: [
        comparedRow('202 to the receiver, p99, beside five bad ones', 'ms', 'alone', compared, wanted),
        ...(['alone', 'beside'] as const).flatMap((name) => restOf(name, found[name])),
      ],
      notes: [
        `Open loop, ${ratePerSecond} messages a second over HTTP, each for all routes of the tenant; one gateway, worker and delivery as shipped.`,
        'Bad: down; 500 every second time; 429 with Retry-After: 2; 410; accepts and never answers.',
      ],
      details: found,
    };
  },
};

function restOf(name: string, rounds: readonly Measured[]): ResultRow[] {
  const row = (label: string, value: (measured: Measured) => number): ResultRow => ({
    label: `${label}, ${name}`,
    unit: 'ms',
    ours: spreadOf(rounds.map(value)),
  });
  return [
    row('202 to the receiver, p50', (each) => each.delivery.p50Ms),
    row('202 to the receiver, p99.9', (each) => each.delivery.p999Ms),
    row('due to the receiver, p99', (each) => each.whole.p99Ms),
  ];
}

async function measure(bench: Bench, withBadOnes: boolean): Promise<Measured> {
  const { servers, backend, effort, profileFolder } = bench;
  await using cleanup = new AsyncDisposableStack();
  await backend.clear();
  await backend.knowSensors(standardFleet);
  await removeRoutes(backend);
  const passages: Passage[] = [];
  const healthy = startHealthyReceiver(passages);
  cleanup.defer(() => void healthy.stop(true));
  const bad = startBadReceivers();
  cleanup.defer(() => bad.stop());
  const others = withBadOnes ? badRoutes(bad) : [];
  await addRoutes(backend, tenantId, [
    { name: 'healthy', url: `http://127.0.0.1:${healthy.port}/` },
    ...others,
  ]);
  const start = async (role: RoleName) => {
    const program = await startRole(servers, role, { env: destinationsOnLoopback, profileFolder });
    cleanup.defer(() => program.stop());
    return program;
  };
  await start('delivery');
  await start('worker');
  const gateway = await start('gateway');
  await sendAll(gateway.port, effort.warmUpMs + effort.measureMs * 4, passages);
  await arrived(passages);
  return measuredOf(passages.slice((effort.warmUpMs / 1_000) * ratePerSecond));
}

function badRoutes({ down, flaky, busy, gone, hanging }: BadReceivers) {
  return Object.entries({ down, flaky, busy, gone, hanging }).map(([name, url]) => ({ name, url }));
}

/** Of one message, in ms of this process's clock: sender and receiver are one process. */
interface Passage {
  readonly dueMs: number;
  answeredMs?: number;
  arrivedMs?: number;
}

/** Reads each request to its end, and knows by a metric which message it is of. */
function startHealthyReceiver(passages: readonly Passage[]) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const text = await request.text();
      const arrivedMs = performance.now();
      const passage = passages[Number(/"probe":(\d+)/.exec(text)?.[1])];
      // A second delivery is no later arrival.
      if (passage !== undefined) passage.arrivedMs ??= arrivedMs;
      return new Response('ok');
    },
  });
}

/** @throws Error for a message that the door refuses */
async function sendAll(port: number, durationMs: number, passages: Passage[]): Promise<void> {
  const free: HttpConnection[] = [];
  const startMs = performance.now();
  const gapMs = 1_000 / ratePerSecond;
  await runOpenLoop({
    ratePerSecond,
    durationMs,
    send: async () => {
      const number = passages.length;
      const passage: Passage = { dueMs: startMs + number * gapMs };
      passages.push(passage);
      const connection = free.pop() ?? (await openHttpConnection(port));
      const { status } = await connection.send(singleRequest(probe(number)));
      passage.answeredMs = performance.now();
      free.push(connection);
      if (status !== 202) throw new Error(`a message was answered ${status}`);
      return { accepted: 1, failed: 0 };
    },
    onAnswer: () => undefined,
    clock: () => performance.now(),
    wait: (ms) => Bun.sleep(Math.max(1, ms)),
  });
  for (const connection of free) connection.close();
}

function probe(number: number) {
  const device = deviceAt(standardFleet, (number * standardFleet.tenants) % standardFleet.devices);
  const body = `{"site_id":"${device.siteId}","metrics":{"temp":20,"humidity":50,"battery":3,"probe":${number}}}`;
  return { device, body };
}

/** @throws Error when some have not arrived in time */
async function arrived(passages: readonly Passage[]): Promise<void> {
  const deadlineMs = performance.now() + arriveWithinMs;
  const missing = () => passages.filter(({ arrivedMs }) => arrivedMs === undefined).length;
  while (missing() > 0) {
    if (performance.now() > deadlineMs)
      throw new Error(`${missing()} of ${passages.length} messages did not reach the healthy webhook`);
    await Bun.sleep(50);
  }
}

function measuredOf(passages: readonly Passage[]): Measured {
  const delivery = new Histogram();
  const whole = new Histogram();
  for (const { dueMs, answeredMs = dueMs, arrivedMs = dueMs } of passages) {
    // It may have arrived before this process read the 202.
    delivery.record(Math.max(0, arrivedMs - answeredMs));
    whole.record(arrivedMs - dueMs);
  }
  return { delivery: delivery.summary(), whole: whole.summary() };
}
