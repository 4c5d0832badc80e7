import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { NatsConnection } from '@nats-io/nats-core';
import fc from 'fast-check';
import { pino } from 'pino';
import { connectNats } from '../../src/stream/connection.ts';
import { requestMany } from '../../src/stream/request-many.ts';
import { limitsSubject, rateLimitsSubject } from '../../src/stream/subjects.ts';
import { encodeLimitCounts, ownBeginning, parseLimitCounts } from '../../src/worker/limit-counts.ts';
import { startLimitSharing } from '../../src/worker/limit-sharing.ts';
import { startRateLimitAnswer } from '../../src/worker/rate-limit-answer.ts';
import { createRateLimiter, type RateLimiter } from '../../src/worker/rate-limiter.ts';
import { startTestNats, type TestNats } from '../harness/nats.ts';
import { until } from '../harness/until.ts';
import { registryOf } from './messages.ts';

const log = pino({ level: 'silent' });
const limits = { device: { ratePerSecond: 1, burst: 4 }, tenant: { ratePerSecond: 100, burst: 1000 } };
const message = { tenantId: 't1', deviceId: 'd1', arrivedAtMs: 8000 };

let nats: TestNats;
beforeAll(async () => {
  nats = await startTestNats();
});
afterAll(() => nats[Symbol.asyncDispose]());

interface Worker extends AsyncDisposable {
  readonly nc: NatsConnection;
  readonly limiter: RateLimiter;
  /** What others have told. */
  readonly heard: [string, number][];
  accept(times: number): number;
}

async function startWorker(workerId: string): Promise<Worker> {
  const nc = await connectNats({ url: nats.url, name: workerId, log });
  const limiter = createRateLimiter(limits);
  const heard: [string, number][] = [];
  const listening: Pick<RateLimiter, 'takeUntold' | 'addOthers'> = {
    takeUntold: () => limiter.takeUntold(),
    addOthers(deltas) {
      limiter.addOthers(deltas);
      for (const [key, count] of deltas) heard.push([key, count]);
    },
  };
  const sharing = startLimitSharing({ nc, limiter: listening, workerId, intervalMs: 10, log });
  const answer = startRateLimitAnswer({ nc, limiter, workerId, log });
  await nc.flush();
  return {
    nc,
    limiter,
    heard,
    accept(times) {
      let accepted = 0;
      for (let i = 0; i < times; i++) {
        const charged = limiter.charge(message, registryOf([]));
        if (!charged.ok) continue;
        limiter.settled([charged.charge]);
        accepted++;
      }
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      await answer.drain();
      await sharing.drain();
      await nc.drain();
    },
  };
}

describe('workers that share their counts', () => {
  test('limit on the sum, and no worker counts its own words twice', async () => {
    await using a = await startWorker('a');
    await using b = await startWorker('b');
    expect(a.accept(3)).toBe(3);
    await until(() => b.heard.length === 2, { what: 'b has heard of both windows' });
    expect(b.accept(5)).toBe(1);
    await until(() => a.heard.length === 2, { what: 'a has heard of both windows' });
    expect(a.accept(1)).toBe(0);
    expect(a.heard).toEqual([
      ['d|4000|2|t1/d1', 1],
      ['t|10000|0|t1', 1],
    ]);
  });

  test('what is untold at the end is told before a worker leaves', async () => {
    await using b = await startWorker('b');
    {
      await using a = await startWorker('a');
      expect(a.accept(4)).toBe(4);
    }
    await until(() => b.heard.length === 2, { what: 'b has heard' });
    expect(b.accept(1)).toBe(0);
  });

  test('nonsense on the subject is left out, and what follows it counts', async () => {
    await using a = await startWorker('a');
    await using stranger = await startWorker('stranger');
    const words = [
      '',
      '{',
      '[]',
      '{"worker_id":"x","counts":[["d|1|1|t/d",-5]]}',
      '{"worker_id":1,"counts":[]}',
    ];
    for (const word of words) stranger.nc.publish(limitsSubject, word);
    stranger.nc.publish(limitsSubject, encodeLimitCounts('x', [['d|4000|2|t1/d1', 3]])[0] ?? '');
    await until(() => a.heard.length === 1, { what: 'a has heard' });
    expect(a.accept(9)).toBe(1);
  });

  test('survive the connection: ended first, draining and sharing stay quiet', async () => {
    const nc = await connectNats({ url: nats.url, name: 'gone', log });
    const limiter = createRateLimiter(limits);
    const sharing = startLimitSharing({ nc, limiter, workerId: 'gone', intervalMs: 1, log });
    const answer = startRateLimitAnswer({ nc, limiter, workerId: 'gone', log });
    await nc.close();
    const charged = limiter.charge(message, registryOf([]));
    if (charged.ok) limiter.settled([charged.charge]);
    let turns = 0;
    await until(() => ++turns > 5, { what: 'some turns of the timer', everyMs: 2 });
    await sharing.drain();
    await answer.drain();
    expect(nc.isClosed()).toBe(true);
  });
});

describe('the rate limits question', () => {
  test('is answered by every worker with its own figures', async () => {
    await using a = await startWorker('a');
    await using b = await startWorker('b');
    a.accept(6);
    const answers = await requestMany(b.nc, rateLimitsSubject, '', { timeoutMs: 5000, stallMs: 500 });
    const parsed = answers.map((answer) => JSON.parse(Buffer.from(answer).toString()));
    expect(parsed.sort((x, y) => (x.worker_id < y.worker_id ? -1 : 1))).toEqual([
      {
        worker_id: 'a',
        stats: {
          accepted: 4,
          limited: 2,
          limited_by: { device: 2, tenant: 0 },
          windows: { device: 1, tenant: 1 },
          top_limited: [{ tenant_id: 't1', device_id: 'd1', limited: 2 }],
        },
      },
      {
        worker_id: 'b',
        stats: {
          accepted: 0,
          limited: 0,
          limited_by: { device: 0, tenant: 0 },
          windows: { device: expect.any(Number), tenant: expect.any(Number) },
          top_limited: [],
        },
      },
    ]);
  });
});

describe('limit counts on the wire', () => {
  test('come back as they were sent, in messages of bounded size', () => {
    const counts = Array.from(
      { length: 1800 },
      (_, i) => [`d|4000|441806400|${'t'.repeat(64)}/${i}`, i + 1] as const,
    );
    const messages = encodeLimitCounts('w1', counts);
    expect(Math.max(...messages.map((text) => text.length))).toBeLessThan(128 * 1024);
    const parsed = messages.map((text) => parseLimitCounts(Buffer.from(text)));
    expect(parsed.every((told) => told?.workerId === 'w1')).toBe(true);
    expect(parsed.flatMap((told) => told?.counts ?? [])).toEqual(counts.map(([key, count]) => [key, count]));
    expect(encodeLimitCounts('w1', [])).toEqual([]);
  });

  test('each begins with what tells a worker its own, and another worker’s does not', () => {
    const begins = (ofWorker: string) =>
      encodeLimitCounts(ofWorker, [['t|4000|441806400|t1', 1]]).map((text) =>
        text.startsWith(ownBeginning('w1').toString()),
      );
    expect([begins('w1'), begins('w2'), begins('w11')]).toEqual([[true], [false], [false]]);
  });

  test('anything else is undefined, and nothing throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (data) => {
          expect(parseLimitCounts(data)).toBeUndefined();
        },
      ),
    );
  });
});
