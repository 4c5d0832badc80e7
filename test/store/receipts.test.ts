import { expect, test } from 'bun:test';
import type { Receipt } from '../../src/model/receipt.ts';
import { streamLifeOf } from '../../src/model/receipt.ts';
import { expireDelivered } from '../../src/store/maintenance/expire-delivered.ts';
import { selectDeliveries } from '../../src/store/receipts/select-deliveries.ts';
import { selectEvidence } from '../../src/store/receipts/select-evidence.ts';
import { withDatabase } from './with-database.ts';

const created = '2026-01-01T00:00:00.123456789Z';
const arrivedAtMs = Date.UTC(2026, 0, 2);
const identity = '0123456789abcdef0123456789abcdef';
const receiptAt = (seq: number, more: Partial<Receipt> = {}): Receipt => ({
  kind: 'fresh',
  repeated: false,
  streamLife: streamLifeOf(created),
  seq,
  arrivedAtMs,
  timeUs: undefined,
  identity,
  bodyTag: 0,
  ...more,
});

test('a sequence is settled when it is claimed, or compacted and in no gap, in its own life of the stream', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(
      `insert into stream_epochs (stream, created, compacted_to, compacted_gaps)
       values ('TELEMETRY', $1, 100, '{[50,51)}'), ('TELEMETRY', 'another life', 0, '{}')`,
      [created],
    );
    await pool.query('insert into claims (epoch, seq, timestamp_ns) values (1, 150, 0), (2, 151, 0)');
    const asked = [49, 50, 100, 101, 150, 151].map((seq) => receiptAt(seq));
    const evidence = await selectEvidence(pool, 'TELEMETRY', [...asked, receiptAt(49, { streamLife: 7 })]);
    expect(evidence.map(({ claimed }) => claimed)).toEqual([true, false, true, false, true, false, false]);
  }));

test('numbers that a restored stream gave again are asked for in the epoch of their time', () =>
  withDatabase({}, async ({ pool }) => {
    const laterNs = (BigInt(arrivedAtMs) + 3_600_000n) * 1_000_000n;
    await pool.query(
      `insert into stream_epochs (stream, created, compacted_to) values ('TELEMETRY', $1, 200)`,
      [created],
    );
    await pool.query(
      `insert into stream_epochs (stream, created, previous, base_seq, first_timestamp_ns)
       values ('TELEMETRY', $1, 1, 90, $2)`,
      [created, laterNs.toString()],
    );
    const before = receiptAt(95);
    const after = receiptAt(95, { arrivedAtMs: arrivedAtMs + 3_700_000 });
    const evidence = await selectEvidence(pool, 'TELEMETRY', [before, after]);
    expect(evidence.map(({ claimed }) => claimed)).toEqual([true, false]);
  }));

test('deliveries are listed as delivered, dead, scheduled or owed, one a route; old ones are forgotten', () =>
  withDatabase({}, async ({ pool }) => {
    await pool.query(`insert into tenants (tenant_id) values ('t1')`);
    await pool.query(
      `insert into routes (tenant_id, name, topic_filter, destination)
       select 't1', 'r' || n, '#', '{"kind":"nats"}' from generate_series(1, 4) n`,
    );
    await pool.query('insert into delivered_jobs (identity, route_id, attempts) values ($1, 1, 3)', [
      identity,
    ]);
    await pool.query(
      `insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, time, identity, attempts)
       values ('t1', 2, 'r2', 'GAVE_UP', '', 'message', now(), $1, 9), ('t1', 1, 'r1', 'GAVE_UP', '', 'message', now(), $1, 9)`,
      [identity],
    );
    await pool.query(
      `insert into route_schedule (route_id, job_id, tenant_id, job, due_at, attempts)
       values (3, 'r1.3.' || $1, 't1', '{}', now(), 2)`,
      [identity],
    );
    await pool.query(
      `insert into route_outbox (kind, times_us, identities, route_ids) values ('message', '{1}', array[$1::uuid], '{4}')`,
      [identity],
    );
    const told = async () =>
      (await selectDeliveries(pool, identity, Date.now())).map((each) => [
        each.route,
        each.status,
        each.attempts,
      ]);
    expect(await told()).toEqual([
      ['r1', 'delivered', 3],
      ['r2', 'dead', 9],
      ['r3', 'waiting', 2],
      ['r4', 'waiting', 0],
    ]);
    await pool.query(`update delivered_jobs set delivered_at = now() - interval '23 hours'`);
    expect(await expireDelivered(pool, 24)).toBe(0);
    await pool.query(`update delivered_jobs set delivered_at = now() - interval '25 hours'`);
    expect(await expireDelivered(pool, 24)).toBe(1);
  }));
