import type pg from 'pg';
import { type BenchDevice, deviceAt, standardFleet } from '../load/fleet.ts';
import { openHttpConnection } from '../load/http-connection.ts';
import { singleRequest } from '../load/http-requests.ts';
import { Histogram, type LatencySummary } from './histogram.ts';

export interface AgeProbe {
  /** Sends no more, waits for the rows of what was sent, and says how old they were when they could be seen. */
  finish(): Promise<LatencySummary>;
}

export interface AgeProbeOptions {
  readonly httpPort: number;
  readonly pool: pg.Pool;
  readonly telemetryTable: string;
  readonly sendsPerSecond: number;
}

/** How exactly an age is known. */
const pollMs = 5;
const lostAfterMs = 30_000;

/**
 * Sends readings of one device among the load and watches for their rows: the age of a row is the time from when the
 * reading was due at the door to when a query sees it.
 */
export async function startAgeProbe(options: AgeProbeOptions): Promise<AgeProbe> {
  const device = deviceAt(standardFleet, standardFleet.devices - 1);
  const sending = new AbortController();
  const sentAtMs = new Map<number, number>();
  const ages = new Histogram();
  const sender = sendProbes(device, options, sentAtMs, sending.signal);
  const watcher = watchRows(device, options, sentAtMs, ages, sending.signal);
  return {
    async finish() {
      sending.abort();
      await Promise.all([sender, watcher]);
      return ages.summary();
    },
  };
}

async function sendProbes(
  device: BenchDevice,
  { httpPort, sendsPerSecond }: AgeProbeOptions,
  sentAtMs: Map<number, number>,
  stop: AbortSignal,
): Promise<void> {
  const startMs = performance.now();
  const gapMs = 1_000 / sendsPerSecond;
  const answers: Promise<void>[] = [];
  for (let number = 1; !stop.aborted; number += 1) {
    const dueMs = startMs + number * gapMs;
    await Bun.sleep(Math.max(0, dueMs - performance.now()));
    sentAtMs.set(number, dueMs);
    // A connection each: a probe never waits for the one before.
    answers.push(sendOne(httpPort, device, number));
  }
  await Promise.all(answers);
}

async function sendOne(httpPort: number, device: BenchDevice, number: number): Promise<void> {
  const connection = await openHttpConnection(httpPort);
  const body = `{"site_id":"${device.siteId}","metrics":{"temp":20,"humidity":50,"battery":3,"probe":${number}}}`;
  const { status } = await connection.send(singleRequest({ device, body }));
  connection.close();
  if (status !== 202) throw new Error(`a probe was answered ${status}`);
}

async function watchRows(
  device: BenchDevice,
  { pool, telemetryTable }: AgeProbeOptions,
  sentAtMs: Map<number, number>,
  ages: Histogram,
  stop: AbortSignal,
): Promise<void> {
  const text = `select (metrics ->> 'probe')::int as number from ${telemetryTable}
    where tenant_id = $1 and device_id = $2 and metrics ? 'probe' and time > now() - interval '40 s'
      and (metrics ->> 'probe')::int = any($3)`;
  let stoppedAtMs: number | undefined;
  while (!stop.aborted || sentAtMs.size > 0) {
    if (sentAtMs.size > 0) {
      const { rows } = await pool.query<{ number: number }>({
        name: `probe-${telemetryTable}`,
        text,
        values: [device.tenantId, device.deviceId, [...sentAtMs.keys()]],
      });
      const seenAtMs = performance.now();
      for (const { number } of rows) {
        ages.record(seenAtMs - (sentAtMs.get(number) ?? seenAtMs));
        sentAtMs.delete(number);
      }
    }
    if (stop.aborted) stoppedAtMs ??= performance.now();
    if (stoppedAtMs !== undefined && performance.now() - stoppedAtMs > lostAfterMs) {
      throw new Error(`${sentAtMs.size} probes never became rows`);
    }
    await Bun.sleep(pollMs);
  }
}
