/**
 * The rival's worker: validates against a cached registry, limits rates in memory, discovers sensors that it has not
 * seen, and writes batches with one multi-row INSERT of up to 500 rows; acks after the insert. It does less than ours:
 * no claims, no identities, no ledger, no latest values, no quarantine table.
 */
import { createHash } from 'node:crypto';
import { type JsMsg, jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { BatchWriter } from './batch-writer.ts';
import { loadRegistry } from './registry.ts';
import { SensorDiscovery } from './sensor-discovery.ts';
import { TokenBuckets } from './token-buckets.ts';

interface Envelope {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly msg_type: string;
  readonly payload: {
    readonly site_id?: string;
    readonly provision_token?: string;
    readonly metrics?: object;
  };
  readonly ts: number;
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
const registry = await loadRegistry(pool);
const sensors = new SensorDiscovery(pool);
await sensors.load();
const limits = new TokenBuckets({ ratePerSecond: 1e7, burst: 1e8 });
const writer = new BatchWriter(pool);
const nc = await connect({ servers: process.env.NATS_URL ?? '', noAsyncTraces: true });
const consumer = await jetstream(nc).consumers.get('TELEMETRY', 'ingest-workers');
const messages = await consumer.consume({ max_messages: 4_000 });
console.log(JSON.stringify({ event: 'ready' }));
process.on('SIGTERM', () => process.exit(0));
for await (const message of messages) await handle(message);

async function handle(message: JsMsg): Promise<void> {
  const { tenant_id, device_id, msg_type, payload, ts } = message.json<Envelope>();
  const device = registry.get(`${tenant_id}/${device_id}`);
  const token = createHash('sha256')
    .update(payload.provision_token ?? '')
    .digest('hex');
  const isValid = device !== undefined && device.tokenSha256 === token && device.siteId === payload.site_id;
  if (!isValid || !limits.take(`${tenant_id}/${device_id}`)) {
    message.ack();
    return;
  }
  const { metrics = {} } = payload;
  await sensors.see(tenant_id, device_id, Object.keys(metrics));
  await writer.add({
    row: [new Date(ts), tenant_id, device_id, device.siteId, msg_type, JSON.stringify(metrics)],
    stored: () => message.ack(),
  });
}
