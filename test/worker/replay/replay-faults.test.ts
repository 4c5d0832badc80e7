import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import pg from 'pg';
import type { ReplayResult } from '../../../src/worker/replay/replay.ts';
import { arrivedAtMs } from '../messages.ts';
import { hex } from '../settling.ts';
import { createWorld, type World } from './quarantine-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

type Query = (this: pg.Client, ...args: unknown[]) => unknown;

/** Does something else with some queries of the product's driver while `work` runs. */
async function withQueries<T>(meddle: (query: Query) => Query, work: () => Promise<T>): Promise<T> {
  const original = pg.Client.prototype.query as unknown as Query;
  pg.Client.prototype.query = meddle(original) as never;
  try {
    return await work();
  } finally {
    pg.Client.prototype.query = original as never;
  }
}

const textOf = (args: readonly unknown[]) => {
  const [query] = args as [string | { text: string }];
  return typeof query === 'string' ? query : query.text;
};

const sent = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ seq: index + 1, payload: { metrics: { n: index } } }));
const isWhole = async (count: number, result?: ReplayResult) => {
  const ledger = (await world.ledger()) as { stored: number; quarantined: number };
  expect([await world.count('telemetry'), await world.count('quarantine')]).toEqual([
    ledger.stored,
    ledger.quarantined,
  ]);
  expect(ledger.stored + ledger.quarantined).toBe(count);
  if (result !== undefined) expect(result.stored).toBe(ledger.stored);
  return ledger;
};

describe('nothing is lost and nothing doubled', () => {
  test('when the connection is killed before COMMIT: the chunk is settled again', async () => {
    await world.send(sent(20));
    await world.register();
    let killed = 0;
    const result = await withQueries(
      (query) =>
        async function (this: pg.Client, ...args) {
          if (textOf(args) === 'commit' && killed < 2) {
            killed += 1;
            const { rows } = (await query.call(this, 'select pg_backend_pid() as pid')) as pg.QueryResult;
            await world.database.pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
          }
          return query.apply(this, args);
        },
      () => world.replay({}),
    );
    expect(killed).toBe(2);
    expect(result).toMatchObject({ stored: 20, refused: 0, passedOver: 0, complete: true });
    await isWhole(20, result);
  });

  test('when COMMIT happened and its answer was lost: the replay’s own counts tell', async () => {
    await world.send([...sent(20), { seq: 21, payload: { site_id: 's2' } }]);
    await world.register();
    let lost = 0;
    const result = await withQueries(
      (query) =>
        async function (this: pg.Client, ...args) {
          const answer = await query.apply(this, args);
          if (textOf(args) !== 'commit' || lost > 0) return answer;
          lost += 1;
          throw new Error('Connection terminated unexpectedly');
        },
      () => world.replay({}),
    );
    expect([lost, result]).toMatchObject([1, { stored: 20, refused: 1, passedOver: 0, complete: true }]);
    await isWhole(21, result);
  });

  test('when the database stays away: what was not done is still there', async () => {
    await world.send(sent(600));
    await world.register();
    const stop = new AbortController();
    let commits = 0;
    const failing = withQueries(
      (query) =>
        function (this: pg.Client, ...args) {
          if (textOf(args) === 'commit') commits += 1;
          if (commits < 2) return query.apply(this, args);
          stop.abort();
          return Promise.reject(new Error('Connection terminated unexpectedly'));
        },
      () => world.replay({}, { stop: stop.signal }),
    );
    await expect(failing).rejects.toThrow('Connection terminated');
    expect(await isWhole(600)).toMatchObject({ stored: 500, quarantined: 100 });
    expect(await world.rows('select finished_at, stored::int from replays')).toEqual([
      { finished_at: null, stored: 500 },
    ] as never);
    await world.replay({});
    expect(await isWhole(600)).toMatchObject({ stored: 600 });
  });

  test('when several replay the same at once', async () => {
    await world.send(sent(1_500));
    await world.register();
    const results = await Promise.all([world.replay({}), world.replay({}), world.replay({})]);
    expect(results.reduce((sum, { stored }) => sum + stored, 0)).toBe(1_500);
    expect(results.reduce((sum, { duplicates, refused }) => sum + duplicates + refused, 0)).toBe(0);
    await isWhole(1_500);
    expect(await world.rows('select sum(stored)::int as stored from replays')).toEqual([{ stored: 1_500 }]);
  });

  test('when rows are locked by somebody who gives up: they are settled at the end', async () => {
    await world.send(sent(600));
    await world.register();
    const held = await world.database.pool.connect();
    await held.query('begin');
    await held.query('select from quarantine where stream_seq <= 7 for update');
    let released = false;
    const onProgress = () => {
      if (released) return;
      released = true;
      void held.query('rollback').then(() => held.release());
    };
    expect(await world.replay({}, { onProgress })).toMatchObject({ stored: 600, passedOver: 0 });
    await isWhole(600);
  });

  test('when they stay locked: they stay, and are counted', async () => {
    await world.send(sent(20));
    await world.register();
    const held = await world.database.pool.connect();
    await held.query('begin');
    await held.query('select from quarantine where stream_seq <= 7 for update');
    const result = await world.replay({});
    await held.query('rollback');
    held.release();
    expect(result).toMatchObject({ stored: 13, passedOver: 7 });
    await isWhole(20, result);
  });

  test('when resends are settled at the same moment, by key and by content', async () => {
    const messages = Array.from({ length: 400 }, (_, index) =>
      index % 2 === 0
        ? { key: { identity: hex(index), bodyHash: hex(1) } }
        : { payload: { ts: arrivedAtMs, seq: index } },
    );
    await world.send(messages.map((message, index) => ({ seq: index + 1, ...message })));
    await world.register();
    const resend = (from: number) =>
      world.send(messages.map((message, index) => ({ seq: from + index, ...message })).reverse());
    const [result] = await Promise.all([world.replay({}), resend(1_001), resend(2_001)]);
    expect(result.stored + result.duplicates).toBe(400);
    expect(await world.count('telemetry')).toBe(400);
    expect(await world.count('quarantine')).toBe(0);
    expect(await world.ledger()).toEqual({ stored: 400, duplicates: 800, quarantined: 0, internal: 0 });
  });

  test('when the database refuses a row: it alone stays', async () => {
    await world.send(sent(50));
    await world.register();
    await world.database.pool.query(`alter table telemetry add check (metrics->>'n' <> '17')`);
    const result = await world.replay({});
    expect(result).toMatchObject({ stored: 49, refused: 1 });
    expect(await world.rows('select reason, sqlstate, stream_seq::int as seq from quarantine')).toEqual([
      { reason: 'STORE_REJECTED', sqlstate: '23514', seq: 18 },
    ]);
    await isWhole(50, result);
  });

  test('when it refuses something else about a message: it alone stays', async () => {
    await world.send(sent(50));
    await world.register();
    await world.database.pool.query(`alter table sensors add check (latest::text <> '17')`);
    const result = await world.replay({ ids: [17n, 18n] });
    expect(result).toMatchObject({ stored: 1, refused: 1, reasons: new Map([['STORE_REJECTED', 1]]) });
    await isWhole(50);
  });
});

test('a dry run changes nothing', async () => {
  await world.send([{ seq: 1, payload: { ts: arrivedAtMs - 300 * 86_400_000 } }, { seq: 2 }]);
  await world.register();
  const tables =
    'telemetry quarantine message_keys device_state sensors telemetry_weeks replays quarantine_totals';
  const counts = () => Promise.all(tables.split(' ').map((table) => world.count(table)));
  const before = await counts();
  expect(await world.dryRun({})).toMatchObject({
    messages: 2,
    stored: 2,
    duplicates: 0,
    refused: 0,
    complete: true,
  });
  expect(await counts()).toEqual(before);
});

test('told to stop, it ends after the chunk and says that it is not done', async () => {
  await world.send(sent(600));
  await world.register();
  const stop = new AbortController();
  const result = await world.replay({}, { stop: stop.signal, onProgress: () => stop.abort() });
  expect(result).toMatchObject({ stored: 500, complete: false });
  await isWhole(600, result);
});
