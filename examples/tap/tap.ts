/**
 * Follows readings live: prints every reading of a tenant a moment after it was stored.
 *
 * Run it beside `npm start` (it finds its NATS by itself), or set NATS_URL:
 *
 *     node_modules/.bin/bun examples/tap/tap.ts demo
 *
 * This is core NATS: at most once. Whoever is not connected misses what went by, and finds it in the table
 * `telemetry`. Readings carry no token. The message's form is in docs/reference/envelope.md.
 */
import { existsSync, readFileSync } from 'node:fs';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';

/** What a tap receives; `metrics` and `extra` are as the device sent them. */
interface TappedReading {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly site_id: string;
  readonly msg_type: 'telemetry' | 'heartbeat';
  /** Event time, UTC, with microseconds. */
  readonly time: string;
  readonly arrived_at: string;
  readonly seq?: number;
  readonly metrics: Readonly<Record<string, number | string | boolean | null>>;
  readonly extra?: Readonly<Record<string, unknown>>;
}

const tenant = process.argv[2] ?? process.env.TENANT_ID ?? 'demo';
/** Stop after so many readings; 0: never. */
const count = Number(process.env.COUNT ?? 0);

/** `npm start` notes where its servers are, with their passwords, for its own user. */
function natsUrl(): string {
  if (process.env.NATS_URL !== undefined) return process.env.NATS_URL;
  const file = new URL('../../.tributary/instance.json', import.meta.url);
  if (!existsSync(file)) return 'nats://127.0.0.1:4222';
  return (JSON.parse(readFileSync(file, 'utf8')) as { natsUrl: string }).natsUrl;
}

/** The client takes user and password apart from the address. */
function connectionOptions(url: string): NodeConnectionOptions {
  const { host, username, password } = new URL(url);
  // Reconnect for ever; the subscription is made again each time.
  const options = { servers: host, maxReconnectAttempts: -1 };
  if (username === '') return options;
  return { ...options, user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}

const nats = await connect(connectionOptions(natsUrl()));
process.once('SIGINT', () => void nats.drain());

// `readings.{tenant}.{device}`: one device alone is `readings.demo.demo-1` (a dot in its id is `%2E`).
const readings = nats.subscribe(`readings.${tenant}.>`, count > 0 ? { max: count } : {});
await nats.flush();
console.error(`listening to readings.${tenant}.>`);
for await (const message of readings) {
  const reading: TappedReading = message.json();
  console.log(reading.time, reading.device_id, reading.msg_type, JSON.stringify(reading.metrics));
}
await nats.close();
