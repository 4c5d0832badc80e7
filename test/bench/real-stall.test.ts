import { expect, test } from 'bun:test';
import { runLoad } from '../../bench/load/run-load.ts';

const stallMs = 500;
const measureMs = 1_500;
const ratePerSecond = 200;

/** A door that accepts, but answers nothing for half a second, once. */
function stallingDoor() {
  let stalledUntil: Promise<void> | undefined;
  let requests = 0;
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch() {
      requests += 1;
      if (requests === 100) stalledUntil = Bun.sleep(stallMs);
      await stalledUntil;
      return new Response('{"status":"accepted"}', { status: 202 });
    },
  });
}

test('a load process reports a real stall of the server, whether or not connections are left to send on', async () => {
  for (const connections of [4, 300]) {
    await using server = stallingDoor();
    const load = await runLoad({
      door: { kind: 'single', port: server.port ?? 0, connections },
      fleet: { devices: 10, tenants: 1, seed: 1 },
      pace: { kind: 'open', messagesPerSecond: ratePerSecond },
      warmUpMs: 0,
      measureMs,
    });
    expect(load.failures).toEqual([]);
    // Whoever fell due in the first quarter of the stall waited three quarters of it, however slow the machine is.
    expect(load.latency.maxMs).toBeGreaterThanOrEqual(stallMs * 0.99);
    // They are more than the hundredth that the 99th percentile leaves out.
    const dueInFirstQuarter = (stallMs / 4 / 1_000) * ratePerSecond;
    expect(load.latency.count).toBeLessThan(50 * dueInFirstQuarter);
    expect(load.latency.p99Ms).toBeGreaterThanOrEqual(stallMs * 0.75);
  }
});
