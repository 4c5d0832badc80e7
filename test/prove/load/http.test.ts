import { expect, test } from 'bun:test';
import { createBatchSender } from '../../../src/prove/load/batch.ts';
import { createHttpSender } from '../../../src/prove/load/http.ts';
import { doors, makeMessages } from '../../../src/prove/load/message.ts';

const device = { tenantId: 't', deviceId: 'd', siteId: 's', token: 'secret' };

/** What both senders make of one answer. */
async function outcomesOf(status: number, headers: Record<string, string> = {}) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('x', { status, headers }),
  });
  try {
    const urls = [`http://127.0.0.1:${server.port}`];
    const messages = makeMessages({
      count: 1,
      firstN: 0,
      devices: [device],
      random: () => 0.5,
      nowMs: 0,
      padding: 0,
      doors,
      runId: 'test',
    });
    const senders = [createHttpSender(urls), createBatchSender(urls)];
    return (await Promise.all(senders.map((sender) => sender.send(messages, 0)))).flat();
  } finally {
    await server.stop(true);
  }
}

test('a 503 that says when to come back is in the contract, and nothing else above 499', async () => {
  for (const outcome of await outcomesOf(503, { 'retry-after': '60' })) {
    expect(outcome.answer).toBe('unknown');
    expect(outcome.outOfContract).toBeUndefined();
  }
  for (const outcome of await outcomesOf(429)) expect(outcome).toEqual({ answer: 'no', why: '429 x' });
  const odd = [
    await outcomesOf(503),
    await outcomesOf(503, { 'retry-after': '0' }),
    await outcomesOf(503, { 'retry-after': '61' }),
    await outcomesOf(503, { 'retry-after': '1.5' }),
    await outcomesOf(500, { 'retry-after': '5' }),
  ].flat();
  expect(odd.map(({ outOfContract }) => outOfContract?.slice(0, 3))).toEqual([
    '503',
    '503',
    '503',
    '503',
    '503',
    '503',
    '503',
    '503',
    '500',
    '500',
  ]);
});
