import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type pg from 'pg';
import { compactClaims } from '../../src/store/maintenance/compact-claims.ts';
import { beginSettling } from '../../src/store/settling-lock.ts';
import { claim } from '../../src/store/statements/claim.ts';
import { openEpoch } from '../../src/store/statements/open-epoch.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { until } from '../harness/until.ts';
import { withDatabase } from './with-database.ts';

async function firstEpoch(pool: pg.Pool): Promise<number> {
  const [opened] = await openEpoch(pool, 'TELEMETRY', '2026-01-01T00:00:00Z');
  if (opened === undefined) throw new Error('no epoch was opened');
  return opened.epoch;
}

const at = (seq: number, timestampNs = 1_000n + BigInt(seq)) => ({ seq, timestampNs });
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => at(from + index));

/** Claims as settling does. @returns which were new. */
async function settle(
  pool: pg.Pool,
  epoch: number,
  positions: readonly ReturnType<typeof at>[],
  meanwhile: (claimed: ReadonlySet<number>) => Promise<void> = async () => {},
): Promise<number[]> {
  return inTransaction(
    pool,
    async (db) => {
      const { claimed } = await claim(db, epoch, positions);
      await meanwhile(claimed);
      return [...claimed].sort((a, b) => a - b);
    },
    beginSettling,
  );
}

const compact = (pool: pg.Pool, epoch: number, to: number, waitMs = 5_000) =>
  compactClaims(pool, { targets: [{ epoch, to }], minRows: 1, waitMs, rowsPerChunk: 7 });

async function rowsLeft(pool: pg.Pool): Promise<number[]> {
  const { rows } = await pool.query<{ seq: string }>('select seq::text from claims order by seq');
  return rows.map(({ seq }) => Number(seq));
}

test('what is compacted is known as claimed, and its gaps can still be claimed, once', () =>
  withDatabase({}, async ({ pool }) => {
    const epoch = await firstEpoch(pool);
    await settle(pool, epoch, [...range(1, 20), ...range(24, 30)]);
    expect(await compact(pool, epoch, 25)).toBe(22);
    expect(await rowsLeft(pool)).toEqual([26, 27, 28, 29, 30]);
    expect(await settle(pool, epoch, range(1, 31))).toEqual([21, 22, 23, 31]);
    expect(await settle(pool, epoch, range(1, 31))).toEqual([]);
    expect(await compact(pool, epoch, 31)).toBe(9);
    expect(await rowsLeft(pool)).toEqual([]);
    expect(await settle(pool, epoch, range(1, 32))).toEqual([32]);
  }));

test('below the mark, a message that is younger than all of it is another one, not a redelivery', () =>
  withDatabase({}, async ({ pool }) => {
    const epoch = await firstEpoch(pool);
    await settle(pool, epoch, range(1, 10));
    await compact(pool, epoch, 10);
    await inTransaction(
      pool,
      async (db) => {
        const { claimed, elsewhere } = await claim(db, epoch, [at(3), at(5, 1_010n), at(7, 1_011n)]);
        expect([[...claimed], [...elsewhere]]).toEqual([[], [7]]);
      },
      beginSettling,
    );
  }));

test('timestamps that step back and forth with the server’s clock: each message is claimed once, none is another’s', () =>
  withDatabase({}, async ({ pool }) => {
    let lives = 0;
    const stepNs = fc.bigInt({ min: -21_600_000_000_000n, max: 21_600_000_000_000n });
    const deliveries = fc.array(fc.array(fc.nat({ max: 29 }), { maxLength: 10 }), {
      minLength: 1,
      maxLength: 8,
    });
    const marks = fc.array(fc.nat({ max: 30 }), { minLength: 8, maxLength: 8 });
    const stepping = fc.array(stepNs, { minLength: 30, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(stepping, deliveries, marks, async (steps, batches, compactTo) => {
        lives += 1;
        const [opened] = await openEpoch(pool, 'TELEMETRY', `life ${lives}`);
        const epoch = opened?.epoch ?? 0;
        let clockNs = 1_795_537_181_377_000_000n;
        const messages = steps.map((step, index) => {
          clockNs += step;
          return at(index + 1, clockNs);
        });
        const seen = new Set<number>();
        for (const [index, batch] of batches.entries()) {
          const delivered = [...new Set(batch)].flatMap((n) => messages[n] ?? []);
          const news = delivered.map(({ seq }) => seq).filter((seq) => !seen.has(seq));
          expect(await settle(pool, epoch, delivered)).toEqual(news.toSorted((a, b) => a - b));
          for (const seq of news) seen.add(seq);
          await compact(pool, epoch, compactTo[index] ?? 0);
          expect(await elsewhere(pool, epoch, delivered)).toEqual([]);
        }
      }),
      { numRuns: 40 },
    );
  }));

/** Which of these the claim takes for another life's. */
async function elsewhere(pool: pg.Pool, epoch: number, positions: readonly ReturnType<typeof at>[]) {
  return inTransaction(pool, async (db) => [...(await claim(db, epoch, positions)).elsewhere], beginSettling);
}

/** A transaction that holds what it has claimed until it is told to go on. */
function holding(pool: pg.Pool, epoch: number, seq: number) {
  const claimed = Promise.withResolvers<void>();
  const end = Promise.withResolvers<'commit' | 'roll back'>();
  const done = settle(pool, epoch, [at(seq)], async () => {
    claimed.resolve();
    if ((await end.promise) === 'roll back') throw new Error('rolled back');
  });
  return { claimed: claimed.promise, end: end.resolve, done };
}

const isBlocked = (pool: pg.Pool) => async () => {
  const { rows } = await pool.query(
    `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
       and query like '%insert into claims%'`,
  );
  return rows.length > 0;
};

test('a claim that began before the mark moved does not claim again what the mark covers', () =>
  withDatabase({ max: 6 }, async ({ pool }) => {
    const epoch = await firstEpoch(pool);
    await settle(pool, epoch, [at(5)]);
    const holder = holding(pool, epoch, 4);
    await holder.claimed;
    // Its snapshot is from before the compaction; it waits for 4 and has not come to 5 yet.
    const redelivered = settle(pool, epoch, [at(4), at(5)]);
    await until(isBlocked(pool), { what: 'the second claim waits for the first' });
    expect(await compact(pool, epoch, 10, 50)).toBe(0);
    holder.end('commit');
    expect([await holder.done, await redelivered]).toEqual([[4], []]);
    expect(await compact(pool, epoch, 10)).toBe(2);
    expect(await settle(pool, epoch, [at(4), at(5), at(6)])).toEqual([6]);
  }));

test('a claim that is rolled back while the mark moves over it can be made again', () =>
  withDatabase({ max: 6 }, async ({ pool }) => {
    const epoch = await firstEpoch(pool);
    await settle(pool, epoch, [at(1), at(3)]);
    const holder = holding(pool, epoch, 2);
    await holder.claimed;
    await compact(pool, epoch, 3, 50);
    holder.end('roll back');
    await expect(holder.done).rejects.toThrow('rolled back');
    expect(await settle(pool, epoch, range(1, 3))).toEqual([2]);
  }));

test('claims, rollbacks, redeliveries and compaction at once: every sequence is claimed exactly once', () =>
  withDatabase({ max: 8 }, async ({ pool }) => {
    const epoch = await firstEpoch(pool);
    const last = 1_500;
    const times = new Map<number, number>();
    let done = false;
    const claimer = async (seed: number) => {
      for (let from = 1; from <= last; from += 5) {
        // Behind and ahead of the mark, overlapping with the others; some are rolled back.
        const batch = range(Math.max(1, from - 20 - seed), Math.min(last, from + 20));
        const isLost = (from + seed) % 4 === 0;
        try {
          const claimed = await settle(pool, epoch, batch, async () => {
            if (isLost) throw new Error('lost');
          });
          for (const seq of claimed) times.set(seq, (times.get(seq) ?? 0) + 1);
        } catch (error) {
          if (!isLost) throw error;
        }
      }
    };
    const compacting = (async () => {
      let rows = 0;
      for (let to = 3; !done; to = (to + 37) % last) rows += await compact(pool, epoch, to, 20);
      return rows;
    })();
    try {
      await Promise.all([0, 1, 2, 3].map(claimer));
    } finally {
      done = true;
    }
    expect(await compacting).toBeGreaterThan(0);
    await settle(pool, epoch, range(1, last));
    expect([...times.values()].filter((count) => count !== 1)).toEqual([]);
    expect(times.size).toBe(last);
  }));
