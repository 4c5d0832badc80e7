/**
 * The limit of the worker: the very statements of its transaction on the same rows, from memory. No NATS, no
 * decoding, no judging, no aggregation: everything that PostgreSQL is sent was made beforehand.
 *
 * Takes a StatementsSpec as JSON, prints a ready line, starts at the first line on its standard input, and ends when
 * all rows are committed and that input is closed: until then its processor time can be read.
 */
import pino from 'pino';
import { owe } from '../../src/store/latest/owed.ts';
import { createPartitions } from '../../src/store/partitions.ts';
import { createPool } from '../../src/store/pool.ts';
import { beginSettling } from '../../src/store/settling-lock.ts';
import { addToLedger } from '../../src/store/statements/add-to-ledger.ts';
import { claim } from '../../src/store/statements/claim.ts';
import { insertTelemetry, type TelemetryRow } from '../../src/store/statements/insert-telemetry.ts';
import { openEpoch } from '../../src/store/statements/open-epoch.ts';
import { type DeviceSeen, upsertDeviceState } from '../../src/store/statements/upsert-device-state.ts';
import type { SensorValue } from '../../src/store/statements/upsert-sensors.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { writeLatest } from '../../src/worker/latest/write-latest.ts';
import { type BenchMessage, drawMessages, type FleetSpec } from '../load/fleet.ts';

export interface StatementsSpec {
  readonly databaseUrl: string;
  readonly fleet: FleetSpec;
  readonly messages: number;
  readonly batchSize: number;
  /** Transactions at once, as many as the worker has. */
  readonly lanes: number;
}

interface Batch {
  readonly positions: { readonly epoch: number; readonly seq: number; readonly timestampNs: bigint }[];
  readonly rows: TelemetryRow[];
  readonly seen: DeviceSeen[];
  readonly group: Group;
}

/** Batches whose latest values are written together, as the worker does. */
interface Group {
  readonly values: Map<string, SensorValue>;
  readonly owed: string[];
  /** Batches that are still to be settled. */
  open: number;
}

/** The worker writes latest values once in one to three seconds, in which it settles about so many batches. */
const batchesPerGroup = 40;

const spec = JSON.parse(process.argv[2] ?? '') as StatementsSpec;
const log = pino({ level: 'silent' });
const pool = createPool({
  databaseUrl: spec.databaseUrl,
  max: spec.lanes + 2,
  name: 'bench statements',
  log,
});
// An epoch of its own: its sequences meet nobody's claims.
const [opened] = await openEpoch(pool, 'BENCH', 'statements');
const epoch = opened?.epoch ?? 0;
const writing: Promise<void>[] = [];
const batches = makeBatches(drawMessages(spec.fleet, spec.messages));
await createPartitions({ pool, log, clock: Date.now }).ensure([
  { tenantId: 't0', timeUs: Date.now() * 1_000 },
]);
console.log(JSON.stringify({ event: 'ready' }));
const input = Bun.stdin.stream().getReader();
await input.read();
await Promise.all(Array.from({ length: spec.lanes }, settleBatches));
await Promise.all(writing);
await pool.end();
await input.read();
process.exit(0);

async function settleBatches(): Promise<void> {
  for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) await settle(batch);
}

async function settle({ positions, rows, seen, group }: Batch): Promise<void> {
  const id = await inTransaction(
    pool,
    async (db) => {
      await claim(db, epoch, positions);
      const stored = await insertTelemetry(db, rows);
      await upsertDeviceState(db, seen, { staleAfterMs: 300_000, offlineAfterMs: 1_800_000 });
      const id = await owe(db, rows);
      await addToLedger(db, epoch, 0, { stored: stored.size, duplicates: 0, quarantined: 0, internal: 0 });
      return id;
    },
    beginSettling,
  );
  group.owed.push(id);
  group.open -= 1;
  if (group.open > 0) return;
  writing.push(
    writeLatest(pool, [...group.values.values()], group.owed, (_, error) => {
      throw error;
    }),
  );
}

function makeBatches(messages: readonly BenchMessage[]): Batch[] {
  const made: Batch[] = [];
  let group: Group = { values: new Map(), owed: [], open: 0 };
  for (let first = 0; first < messages.length; first += spec.batchSize) {
    if (group.open === batchesPerGroup) group = { values: new Map(), owed: [], open: 0 };
    group.open += 1;
    made.push(makeBatch(messages.slice(first, first + spec.batchSize), first, group));
  }
  // Taken from the end.
  return made.reverse();
}

function makeBatch(messages: readonly BenchMessage[], first: number, group: Group): Batch {
  const nowMs = Date.now();
  const rows = messages.map((message, n) => rowOf(message, first + n + 1, nowMs));
  const seen = new Map<string, DeviceSeen>();
  for (const { tenantId, deviceId, metricsText } of rows) {
    seen.set(deviceId, { tenantId, deviceId, lastSeenAtMs: nowMs, msgType: 'telemetry' });
    for (const [metric, value] of Object.entries<number>(JSON.parse(metricsText))) {
      group.values.set(`${deviceId}/${metric}`, sensorValue(tenantId, deviceId, metric, value, nowMs));
    }
  }
  const positions = rows.map(({ streamSeq }) => ({
    epoch,
    seq: streamSeq,
    timestampNs: BigInt(nowMs) * 1_000_000n + BigInt(streamSeq),
  }));
  return { positions, rows, seen: [...seen.values()], group };
}

function rowOf({ device, body }: BenchMessage, streamSeq: number, nowMs: number): TelemetryRow {
  const { tenantId, deviceId, siteId } = device;
  return {
    timeUs: nowMs * 1_000,
    identity: crypto.randomUUID().replaceAll('-', ''),
    tenantId,
    deviceId,
    siteId,
    msgType: 'telemetry',
    seq: undefined,
    metricsText: JSON.stringify((JSON.parse(body) as { metrics: unknown }).metrics),
    extraText: undefined,
    arrivedAtMs: nowMs,
    epoch,
    streamSeq,
  };
}

function sensorValue(
  tenantId: string,
  deviceId: string,
  metric: string,
  value: number,
  nowMs: number,
): SensorValue {
  return {
    tenantId,
    deviceId,
    metric,
    valueType: 'number',
    unit: undefined,
    valueText: JSON.stringify(value),
    timeUs: nowMs * 1_000,
    arrivedAtMs: nowMs,
    seq: undefined,
    maxSensors: 256,
  };
}
