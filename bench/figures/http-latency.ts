import { standardFleet } from '../load/fleet.ts';
import type { LoadResult } from '../load/load-spec.ts';
import { runLoad } from '../load/run-load.ts';
import { startRole } from '../measure/roles.ts';
import { spreadOf } from '../measure/statistics.ts';
import type { Figure, ResultRow } from './figure.ts';
import { below } from './in-turn.ts';
import { requireAccepted } from './require-accepted.ts';

const ratePerSecond = 2_000;
const connections = 64;

/** How long a device waits for its 202 at a rate that one gateway carries easily. */
export const httpLatency: Figure = {
  name: 'http-latency',
  title: `Single HTTP at ${ratePerSecond.toLocaleString('en')} requests a second, time to the 202`,
  async run({ servers, backend, effort, profileFolder }) {
    await using cleanup = new AsyncDisposableStack();
    await backend.clear();
    await backend.register(standardFleet);
    const gateway = await startRole(servers, 'gateway', { profileFolder });
    cleanup.defer(() => gateway.stop());
    const loads: LoadResult[] = [];
    for (let round = 0; round < effort.rounds; round += 1) {
      const load = await runLoad({
        door: { kind: 'single', port: gateway.port, connections },
        fleet: standardFleet,
        pace: { kind: 'open', messagesPerSecond: ratePerSecond },
        warmUpMs: effort.warmUpMs,
        measureMs: effort.measureMs * 2,
      });
      loads.push(requireAccepted(load, 'HTTP latency'));
    }
    return { rows: rowsOf(loads), notes: notesOn(loads), details: loads };
  },
};

function rowsOf(loads: readonly LoadResult[]): ResultRow[] {
  const row = (label: string, value: (load: LoadResult) => number): ResultRow => ({
    label: `202 at ${ratePerSecond}/s, ${label}`,
    unit: 'ms',
    ours: spreadOf(loads.map(value)),
  });
  return [
    row('p50', ({ latency }) => latency.p50Ms),
    { ...row('p99', ({ latency }) => latency.p99Ms), wanted: below(5) },
    row('p99.9', ({ latency }) => latency.p999Ms),
  ];
}

function notesOn(loads: readonly LoadResult[]): string[] {
  const late = spreadOf(loads.map(({ lateness }) => lateness.p50Ms));
  const latest = spreadOf(loads.map(({ lateness }) => lateness.p99Ms));
  return [
    `Open loop over ${connections} connections: each time counts from the intended send, whenever it was sent.`,
    `The generator's timer is part of it: sends began ${late.median.toFixed(2)} ms late at the median, ${latest.median.toFixed(2)} ms at p99.`,
  ];
}
