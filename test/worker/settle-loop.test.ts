import { afterEach, beforeEach, expect, test } from 'bun:test';
import pino from 'pino';
import type { Puller } from '../../src/stream/puller.ts';
import type { Plan } from '../../src/worker/plan.ts';
import { OtherEpochError, type Settle } from '../../src/worker/settle.ts';
import { type SettleLoop, startSettleLoop } from '../../src/worker/settle-loop.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { until } from '../harness/until.ts';
import { createSettling, type ScriptedMessage, type Settling } from './settling.ts';

let database: TestDatabase;
let settling: Settling;
beforeEach(async () => {
  database = await createTestDatabase();
  settling = await createSettling(database.pool);
});
afterEach(() => database[Symbol.asyncDispose]());

interface Running {
  readonly loop: SettleLoop;
  readonly lines: Readonly<Record<string, unknown>>[];
  readonly settled: string[];
}

/** The loop over one batch, which is all that the stream holds; then the puller waits until it is stopped. */
function run(
  plan: Plan & { readonly messages: ScriptedMessage[] },
  settle: Settle,
  ackWaitMs = 30_000,
): Running {
  const settled: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const stopped = Promise.withResolvers<undefined>();
  let given = false;
  const puller: Puller = {
    next: async () => {
      if (given) return stopped.promise;
      given = true;
      return plan.messages;
    },
    stop: async () => stopped.resolve(undefined),
  };
  const loop = startSettleLoop({
    puller,
    plan: async () => [plan],
    replan: async (again) => [again],
    settle,
    onSettled: (outcomes) => settled.push(...outcomes.map(({ outcome }) => outcome)),
    lanes: 1,
    ackWaitMs,
    random: () => 0.5,
    log: pino({ level: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) }),
  });
  loop.done.catch(() => undefined);
  return { loop, settled, lines };
}

const saidOf = ({ messages }: { readonly messages: readonly ScriptedMessage[] }) =>
  messages.map(({ said }) => said);
const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

test('nothing is acked before its transaction has committed', async () => {
  const plan = settling.plan([{ seq: 1 }, { seq: 2 }]);
  const committing = Promise.withResolvers<void>();
  const settle: Settle = async (part) => {
    const outcomes = await settling.settle(part);
    expect(saidOf(plan)).toEqual([[], []]);
    committing.resolve();
    return outcomes;
  };
  const { loop } = run(plan, settle);
  await committing.promise;
  await loop.drain(5_000);
  expect(saidOf(plan)).toEqual([['ack'], ['ack']]);
});

test('while the database is away the same batch is tried again and kept from others, then acked once', async () => {
  const plan = settling.plan([{ seq: 1 }]);
  let attempts = 0;
  const settle: Settle = async (part) => {
    attempts += 1;
    if (attempts < 4) throw away;
    return settling.settle(part);
  };
  const { loop, settled, lines } = run(plan, settle, 60);
  await until(() => settled.length > 0, { what: 'the batch is settled' });
  await loop.drain(5_000);
  expect(attempts).toBe(4);
  expect(settled).toEqual(['stored']);
  expect(lines.map(({ event, attempt }) => [event, attempt])).toEqual(
    [0, 1, 2].map((n) => ['settle_retry', n]),
  );
  const identity = expect.stringMatching(/^[0-9a-f]{32}$/);
  const first = { tenantId: 'acme', deviceId: 'd1', identity, seq: 1, messages: 1, lastSeq: 1 };
  expect(lines[0]).toMatchObject(first);
  const said = plan.messages[0]?.said ?? [];
  expect(said).toContain('working');
  expect(said.filter((word) => word !== 'working')).toEqual(['ack']);
});

test('messages that are of another epoch again and again are given back instead of opening one after the other', async () => {
  const plan = settling.plan([{ seq: 1 }]);
  let attempts = 0;
  const settle: Settle = async ({ epoch }) => {
    attempts += 1;
    throw new OtherEpochError(epoch, plan.messages);
  };
  const { loop, settled, lines } = run(plan, settle);
  const given = () => saidOf(plan).flat().length > 0;
  await until(given, { what: 'the message is given back' });
  await loop.drain(5_000);
  expect(attempts).toBe(4);
  expect(settled).toEqual([]);
  expect(saidOf(plan)).toEqual([['nak']]);
  expect(lines.map(({ event }) => event)).toEqual(['stream_numbers_conflict']);
});

test('a COMMIT whose answer was lost is resolved by the claim: one row, acked', async () => {
  const plan = settling.plan([{ seq: 1 }, { seq: 2 }]);
  let attempts = 0;
  const settle: Settle = async (part) => {
    const outcomes = await settling.settle(part);
    attempts += 1;
    if (attempts === 1) throw new Error('Connection terminated unexpectedly');
    return outcomes;
  };
  const { loop, settled } = run(plan, settle);
  await until(() => settled.length === 2, { what: 'the batch is settled' });
  await loop.drain(5_000);
  expect(settled).toEqual(['claimed before', 'claimed before']);
  expect((await database.pool.query('select 1 from telemetry')).rowCount).toBe(2);
});

test('what cannot be settled before the deadline is given back, not acked', async () => {
  const plan = settling.plan([{ seq: 1 }]);
  const { loop, settled } = run(plan, async () => {
    throw away;
  });
  await loop.drain(30);
  expect(settled).toEqual([]);
  expect(saidOf(plan)).toEqual([['nak']]);
});

test('an error that no retry mends ends the loop and gives everything back', async () => {
  const plan = settling.plan([{ seq: 1 }]);
  const { loop } = run(plan, async () => {
    throw Object.assign(new Error('relation does not exist'), { code: '42P01', severity: 'ERROR' });
  });
  await expect(loop.done).rejects.toThrow('relation does not exist');
  expect(saidOf(plan)).toEqual([['nak']]);
});

test('a message that the database refuses outside the telemetry insert costs only itself', async () => {
  const unstorable = {
    outcome: 'quarantine',
    rejection: { reason: 'BAD_ENVELOPE', detail: 'a\u0000b' },
  } as const;
  const plan = settling.plan([
    ...Array.from({ length: 7 }, (_, i) => ({ seq: i + 1 })),
    { seq: 8, verdict: unstorable },
    { seq: 9 },
    // Refused a second time, for its arrival: what is kept of it is bare.
    { seq: 10, verdict: unstorable, arrivedAtMs: 1e300 },
  ]);
  const { loop, settled } = run(plan, settling.settle);
  await until(() => settled.length === 10, { what: 'all ten are settled' });
  await loop.drain(5_000);
  expect(settled.filter((outcome) => outcome === 'stored')).toHaveLength(8);
  expect(saidOf(plan)).toEqual(Array.from({ length: 10 }, () => ['ack']));
  const { rows } = await database.pool.query(
    `select reason, sqlstate, subject, tenant_id, stream_seq::int as seq, length(envelope) > 0 as kept
     from quarantine order by stream_seq`,
  );
  expect(rows).toEqual([
    {
      reason: 'STORE_REJECTED',
      sqlstate: '22021',
      subject: 'telemetry.acme',
      tenant_id: 'acme',
      seq: 8,
      kept: true,
    },
    {
      reason: 'STORE_REJECTED',
      sqlstate: rows[1].sqlstate,
      subject: '(not storable)',
      tenant_id: null,
      seq: 10,
      kept: true,
    },
  ]);
});
