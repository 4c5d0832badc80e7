import { expect, test } from 'bun:test';
import { compactClaims } from '../../src/store/maintenance/compact-claims.ts';
import { createRateLimiter } from '../../src/worker/rate-limiter.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { createSettling } from './settling.ts';

const count = 10_000;
const refusal = { outcome: 'quarantine', rejection: { reason: 'DEVICE_REVOKED', detail: 'no' } } as const;
const scripts = Array.from({ length: count }, (_, index) => ({ seq: index + 1, device: `d${index % 50}` }));

for (const isCompacted of [false, true]) {
  test(`10,000 committed messages come again${isCompacted ? ' after their claims were compacted' : ''}: no row, though device, limit and worker changed`, async () => {
    await using database = await createTestDatabase();
    const first = await createSettling(database.pool);
    for (let from = 0; from < count; from += 1_000) await first.run(scripts.slice(from, from + 1_000));
    const totals = async () =>
      (
        await database.pool.query(
          `select (select count(*)::int from telemetry) as rows, (select count(*)::int from quarantine) as refused,
             (select sum(stored + duplicates + quarantined + internal)::int from ledger) as outcomes`,
        )
      ).rows[0];
    const before = await totals();
    expect(before).toEqual({ rows: count, refused: 0, outcomes: count });
    if (isCompacted) {
      const targets = [{ epoch: first.epoch, to: count }];
      expect(await compactClaims(database.pool, { targets, minRows: 1, waitMs: 5_000 })).toBe(count);
    }
    // Another worker, which knows a limit of one message and that every second device was revoked.
    const strict = { ratePerSecond: 0.001, burst: 1 };
    const second = await createSettling(database.pool, {
      limiter: createRateLimiter({ device: strict, tenant: strict }),
      ledgerShard: 1,
    });
    for (let from = 0; from < count; from += 1_000) {
      const batch = scripts.slice(from, from + 1_000);
      const again = batch.map((script) => (script.seq % 2 === 0 ? script : { ...script, verdict: refusal }));
      expect(new Set(await second.run(again))).toEqual(new Set(['claimed before']));
    }
    expect(await totals()).toEqual(before);
  });
}
