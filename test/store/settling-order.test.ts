import { expect, test } from 'bun:test';
import { createPartitions } from '../../src/store/partitions.ts';
import { insertTelemetry, type TelemetryRow } from '../../src/store/statements/insert-telemetry.ts';
import { upsertDeviceState } from '../../src/store/statements/upsert-device-state.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { type DatabaseUnderTest, silentLog, withDatabase } from './with-database.ts';

const rounds = 20;
const size = 400;
const nowMs = 1_767_225_600_000;

/** Two workers with the same rows, one in the opposite order, again and again: a deadlock rejects (40P01). */
async function inOppositeOrders<Row>(
  pool: DatabaseUnderTest['pool'],
  rowsOf: (round: number) => readonly Row[],
  write: (
    client: Parameters<Parameters<typeof inTransaction>[1]>[0],
    rows: readonly Row[],
  ) => Promise<unknown>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const rows = rowsOf(round);
    const orders = [rows, rows.toReversed()];
    await Promise.all(orders.map((order) => inTransaction(pool, (client) => write(client, order))));
  }
}

test('two batches with the same devices wait for each other in one direction only', () =>
  withDatabase({}, async ({ pool }) => {
    const devices = (round: number) =>
      Array.from({ length: size }, (_, n) => ({
        tenantId: `t${n % 3}`,
        deviceId: `d${n}`,
        lastSeenAtMs: nowMs + round,
        msgType: 'telemetry',
      }));
    await inOppositeOrders(pool, devices, (client, seen) =>
      upsertDeviceState(client, seen, { staleAfterMs: 1_000, offlineAfterMs: 2_000 }),
    );
    const { rows } = await pool.query('select count(*)::int as devices from device_state');
    expect(rows[0].devices).toBe(size);
  }));

test('two batches with the same identities wait for each other in one direction only, and one stores each', () =>
  withDatabase({}, async ({ pool }) => {
    await prepareWeek(pool);
    const stored: number[] = [];
    const readings = (round: number) =>
      Array.from({ length: size }, (_, n) => reading(round * size + n, n + 1));
    await inOppositeOrders(pool, readings, async (client, rows) => {
      stored.push((await insertTelemetry(client, rows)).size);
    });
    expect(stored.reduce((sum, each) => sum + each, 0)).toBe(rounds * size);
  }));

test('of two equal identities in a batch the earlier sequence is stored, in whatever order they come', () =>
  withDatabase({}, async ({ pool }) => {
    await prepareWeek(pool);
    expect(await insertTelemetry(pool, [reading(1, 8), reading(2, 9), reading(1, 7)])).toEqual(
      new Set([7, 9]),
    );
    expect(await insertTelemetry(pool, [reading(3, 10)])).toEqual(new Set([10]));
    expect(await insertTelemetry(pool, [reading(3, 11)])).toEqual(new Set());
  }));

async function prepareWeek(pool: DatabaseUnderTest['pool']): Promise<void> {
  const partitions = createPartitions({ pool, log: silentLog, clock: () => nowMs });
  await partitions.ensure([{ tenantId: 't1', timeUs: nowMs * 1_000 }]);
}

function reading(identity: number, streamSeq: number): TelemetryRow {
  return {
    timeUs: nowMs * 1_000,
    identity: identity.toString(16).padStart(32, '0'),
    tenantId: 't1',
    deviceId: 'd1',
    siteId: 's1',
    msgType: 'telemetry',
    seq: undefined,
    metricsText: '{"temp":22.50}',
    extraText: undefined,
    arrivedAtMs: nowMs,
    epoch: 1,
    streamSeq,
  };
}
