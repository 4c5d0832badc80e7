import { expect, test } from 'bun:test';
import { createRateLimiter } from '../../src/worker/rate-limiter.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { createSettling, hex } from './settling.ts';

const revoked = {
  outcome: 'quarantine',
  rejection: { reason: 'DEVICE_REVOKED', detail: 'revoked' },
} as const;

test('10,000 committed messages, delivered again to another worker after a revocation and with a lower limit, add no row', async () => {
  await using database = await createTestDatabase();
  const first = await createSettling(database.pool);
  const batch = (from: number, more: object = {}) =>
    Array.from({ length: 1_000 }, (_, i) => ({ seq: from + i + 1, device: `d${i % 50}`, ...more }));
  for (let from = 0; from < 10_000; from += 1_000) await first.run(batch(from));
  const books = async () =>
    (
      await database.pool.query(
        `select (select count(*)::int from telemetry) as telemetry, (select count(*)::int from quarantine) as quarantine,
                (select count(*)::int from claims) as claims, sum(stored)::int as stored, sum(duplicates)::int as duplicates,
                sum(quarantined)::int as quarantined from ledger`,
      )
    ).rows[0];
  const before = await books();
  expect(before).toMatchObject({ telemetry: 10_000, claims: 10_000, stored: 10_000 });

  const strict = createRateLimiter({
    device: { ratePerSecond: 0.001, burst: 1 },
    tenant: { ratePerSecond: 0.001, burst: 1 },
  });
  const other = await createSettling(database.pool, { limiter: strict, ledgerShard: 3 });
  const outcomes = new Set<string>();
  for (let from = 0; from < 10_000; from += 1_000) {
    // Every other batch is of devices that were revoked meanwhile.
    const more = from % 2_000 === 0 ? { verdict: revoked } : {};
    for (const outcome of await other.run(batch(from, more))) outcomes.add(outcome);
  }
  expect([...outcomes]).toEqual(['claimed before']);
  expect(await books()).toEqual(before);
  expect(strict.snapshot()).toMatchObject({ accepted: 0, limited: 0 });
}, 120_000);

test('a key without ts, sent again 3 minutes later and across midnight, is stored once', async () => {
  await using database = await createTestDatabase();
  const settling = await createSettling(database.pool);
  const beforeMidnight = Date.UTC(2026, 5, 7, 23, 58, 30); // a Sunday: the resend falls into another partition
  const send = (seq: number, arrivedAtMs: number) => ({
    seq,
    key: { identity: hex(0xabc), bodyHash: hex(1) },
    arrivedAtMs,
    timeUs: arrivedAtMs * 1_000,
  });
  expect(await settling.run([send(1, beforeMidnight)])).toEqual(['stored']);
  expect(await settling.run([send(2, beforeMidnight + 180_000)])).toEqual(['duplicate']);
  expect(await settling.run([send(3, beforeMidnight + 86_400_000)])).toEqual(['duplicate']);
  const { rows } = await database.pool.query('select count(*)::int as n from telemetry');
  expect(rows).toEqual([{ n: 1 }]);
});
