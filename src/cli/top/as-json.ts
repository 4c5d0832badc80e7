import { sentenceOf } from '../../lib/sentence-of.ts';
import type { Part } from '../../roles/status/gather.ts';
import type { LiveStatus } from '../../roles/status/live-status.ts';
import { alarmAsJson, streamAsJson } from '../../roles/status/status-as-json.ts';

/** One look for programs, in the words of the wire. */
export function liveAsJson({ atMs, nats, database, audit }: LiveStatus): unknown {
  const live = 'value' in nats ? nats.value : undefined;
  const rates = live?.rates;
  return {
    time: new Date(atMs),
    nats: reach(nats),
    database: reach(database),
    in_per_second: rates === undefined ? null : rates.bySource,
    out_per_second: rates === undefined ? null : rates.byVerdict,
    door_to_row_ms: rates?.doorToRowMs === undefined ? null : finite(rates.doorToRowMs),
    unaccounted: 'value' in audit ? audit.value.total.unaccounted : null,
    in_flight: 'value' in audit ? audit.value.total.inFlight : null,
    durability: live?.durability ?? null,
    devices: 'value' in database ? database.value.devices : null,
    alarms: 'value' in database ? database.value.alarms.map(alarmAsJson) : null,
    streams: live?.sample.streams.map(streamAsJson) ?? null,
    roles:
      live?.roles.map(({ role, id, version, host, pid, uptimeMs, rssBytes }) => ({
        role,
        id,
        version,
        host,
        pid,
        uptime_ms: uptimeMs,
        rss_bytes: rssBytes,
        cpu: rates?.cpuById.get(id),
      })) ?? null,
  };
}

function reach(part: Part<unknown>): unknown {
  return 'error' in part ? { reachable: false, error: sentenceOf(part.error) } : { reachable: true };
}

/** JSON has no infinity. */
function finite(ages: Readonly<Record<string, number>>): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(ages).map(([name, ms]) => [name, Number.isFinite(ms) ? Math.round(ms * 10) / 10 : null]),
  );
}
