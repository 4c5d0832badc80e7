import { isoMicroseconds } from '../lib/iso-microseconds.ts';
import type { DeviceId, TenantId } from '../model/identifiers.ts';
import type { Reading, Verdict } from '../model/verdict.ts';
import type { Outcome } from './plan.ts';

/** A message with its outcome, pulled or replayed. */
export interface Tapped {
  readonly outcome: Outcome | 'open';
  readonly verdict: Verdict | undefined;
  readonly entry?: unknown;
}

/** Publishes on core NATS: fire and forget. */
export type PublishTap = (tenantId: TenantId, deviceId: DeviceId, data: string) => void;

/**
 * The after-commit feed: every stored reading on `readings.{tenant}.{device}`, without its token. At most
 * once: who is not connected misses it, and a worker that dies after COMMIT sends nothing.
 */
export function createTap(publish: PublishTap): (settled: readonly Tapped[]) => void {
  return (settled) => {
    for (const { outcome, verdict } of settled) {
      if (outcome !== 'stored' || verdict?.outcome !== 'accept') continue;
      const { tenantId, deviceId } = verdict.reading;
      publish(tenantId, deviceId, encodeReading(verdict.reading));
    }
  };
}

/** As JSON, by hand: ids need no escaping, and `metrics` is the device's own text, so that numbers are exactly as sent. */
function encodeReading(reading: Reading): string {
  const { tenantId, deviceId, siteId, msgType, timeUs, arrivedAtMs, seq, metricsText, extraText } = reading;
  const arrivedAt = new Date(arrivedAtMs).toISOString();
  const time = timeUs === arrivedAtMs * 1_000 ? `${arrivedAt.slice(0, -1)}000Z` : isoMicroseconds(timeUs);
  return (
    `{"tenant_id":"${tenantId}","device_id":"${deviceId}","site_id":${JSON.stringify(siteId)},` +
    `"msg_type":"${msgType}","time":"${time}","arrived_at":"${arrivedAt}",` +
    `${seq === undefined ? '' : `"seq":${seq},`}"metrics":${metricsText}` +
    `${extraText === undefined ? '' : `,"extra":${extraText}`}}`
  );
}
