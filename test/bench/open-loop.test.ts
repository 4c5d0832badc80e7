import { expect, test } from 'bun:test';
import { runOpenLoop, type Sent } from '../../bench/load/open-loop.ts';
import { Histogram } from '../../bench/measure/histogram.ts';

const one: Sent = { accepted: 1, failed: 0 };

/** Time that passes only while somebody waits; callbacks run in its order. */
function createVirtualTime() {
  let nowMs = 0;
  const due: { readonly atMs: number; readonly run: () => void }[] = [];
  const at = (atMs: number, run: () => void) => {
    due.push({ atMs, run });
    due.sort((a, b) => a.atMs - b.atMs);
  };
  const wait = (ms: number) => new Promise<void>((resolve) => at(nowMs + Math.max(0, ms), resolve));
  const pass = async (until: Promise<unknown>) => {
    let over = false;
    void until.then(() => {
      over = true;
    });
    while (!over) {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      const next = due.shift();
      if (next === undefined) continue;
      nowMs = Math.max(nowMs, next.atMs);
      next.run();
    }
  };
  return { clock: () => nowMs, wait, pass };
}

/** Answers after 1 ms, but what comes between `from` and `to` waits until `to`. */
function stallingServer(time: ReturnType<typeof createVirtualTime>, from: number, to: number) {
  return async () => {
    const now = time.clock();
    await time.wait(now >= from && now < to ? to - now : 1);
    return one;
  };
}

test('the open-loop generator sees an injected 500 ms stall in the latencies of all that fell due in it', async () => {
  const time = createVirtualTime();
  const latencies: { readonly ms: number; readonly intendedAtMs: number }[] = [];
  const running = runOpenLoop({
    ...time,
    ratePerSecond: 100,
    durationMs: 2_000,
    send: stallingServer(time, 1_000, 1_500),
    onAnswer: (ms, _, intendedAtMs) => latencies.push({ ms, intendedAtMs }),
  });
  await time.pass(running);
  expect(latencies).toHaveLength(200);
  const stalled = latencies.filter(({ intendedAtMs }) => intendedAtMs >= 1_000 && intendedAtMs < 1_500);
  expect(stalled).toHaveLength(50);
  for (const { ms, intendedAtMs } of stalled) expect(ms).toBeCloseTo(1_500 - intendedAtMs, 6);
  const histogram = new Histogram();
  for (const { ms } of latencies) histogram.record(ms);
  expect(histogram.percentileMs(0.5)).toBeLessThan(2);
  expect(histogram.percentileMs(0.99)).toBeGreaterThan(450);
});

test('a stall of the generator itself counts, too: what is sent late was due earlier', async () => {
  const time = createVirtualTime();
  const latencies: number[] = [];
  const lateness: number[] = [];
  let waits = 0;
  const running = runOpenLoop({
    clock: time.clock,
    // The fifth wait oversleeps by half a second, as a process does that got no processor.
    wait: (ms) => time.wait(++waits === 5 ? ms + 500 : ms),
    ratePerSecond: 100,
    durationMs: 1_000,
    send: async () => one,
    onAnswer: (ms) => latencies.push(ms),
    onSend: (ms) => lateness.push(ms),
  });
  await time.pass(running);
  expect(latencies).toHaveLength(100);
  expect(Math.max(...latencies)).toBeCloseTo(500, 6);
  expect(latencies.filter((ms) => ms > 5)).toHaveLength(50);
  expect(lateness).toEqual(latencies);
});

test('sends that are open at the end of the time are counted, and their answers awaited', async () => {
  const time = createVirtualTime();
  let answered = 0;
  const running = runOpenLoop({
    ...time,
    ratePerSecond: 10,
    durationMs: 1_000,
    send: async () => {
      await time.wait(5_000);
      return one;
    },
    onAnswer: () => {
      answered += 1;
    },
  });
  await time.pass(running);
  expect(await running).toEqual({ sends: 10, openAtEnd: 10 });
  expect(answered).toBe(10);
});
