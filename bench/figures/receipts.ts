import { standardFleet } from '../load/fleet.ts';
import type { LoadResult } from '../load/load-spec.ts';
import { runLoad } from '../load/run-load.ts';
import { startRole } from '../measure/roles.ts';
import { spreadOf } from '../measure/statistics.ts';
import { startOurs } from '../measure/system.ts';
import type { Bench, Figure, ResultRow } from './figure.ts';
import { atLeast, below, comparedRow, compareInTurn } from './in-turn.ts';
import { requireAccepted } from './require-accepted.ts';

const ratePerSecond = 200;
const connections = 64;
const env = { TRIBUTARY_RECEIPT_KEY: Buffer.alloc(32, 1).toString('base64') };

/** How long `Prefer: wait` takes until the row is committed, and what a receipt costs whoever does not ask. */
export const receipts: Figure = {
  name: 'receipts',
  title: 'Receipts and Prefer: wait',
  async run(bench) {
    const waited = await measureWaits(bench);
    const rows: ResultRow[] = [
      { ...waitRow('p50', waited, ({ latency }) => latency.p50Ms) },
      { ...waitRow('p99', waited, ({ latency }) => latency.p99Ms), wanted: below(1_000) },
      await comparePlain(bench),
    ];
    return { rows, notes: [`Open loop over ${connections} connections, answered 201.`], details: waited };
  },
};

function waitRow(label: string, loads: readonly LoadResult[], of: (load: LoadResult) => number): ResultRow {
  return {
    label: `Prefer: wait at ${ratePerSecond}/s, ${label}`,
    unit: 'ms',
    ours: spreadOf(loads.map(of)),
  };
}

async function measureWaits({ servers, backend, effort }: Bench): Promise<LoadResult[]> {
  await backend.clear();
  await backend.register(standardFleet);
  const system = await startOurs(servers, backend);
  try {
    const loads: LoadResult[] = [];
    for (let round = 0; round < effort.rounds; round += 1) {
      const load = await runLoad({
        door: { kind: 'single', port: system.httpPort, connections, waitSeconds: 20 },
        fleet: standardFleet,
        pace: { kind: 'open', messagesPerSecond: ratePerSecond },
        warmUpMs: effort.warmUpMs,
        measureMs: effort.measureMs * 2,
      });
      loads.push(requireAccepted(load, 'Prefer: wait'));
    }
    return loads;
  } finally {
    await system.stop();
  }
}

async function comparePlain({ servers, backend, effort }: Bench): Promise<ResultRow> {
  await using cleanup = new AsyncDisposableStack();
  const withKey = await startRole(servers, 'gateway', { env });
  cleanup.defer(() => withKey.stop());
  const without = await startRole(servers, 'gateway');
  cleanup.defer(() => without.stop());
  const against = async (port: number) => {
    await backend.clear();
    const load = await runLoad({
      door: { kind: 'single', port, connections },
      fleet: standardFleet,
      pace: { kind: 'closed' },
      ...effort,
    });
    return requireAccepted(load, 'single HTTP').acceptedPerSecond;
  };
  const compared = await compareInTurn(effort.rounds, {
    ours: () => against(withKey.port),
    rival: () => against(without.port),
  });
  return comparedRow(
    'single HTTP, each answer with a receipt',
    'msg/s',
    'without receipts',
    compared,
    atLeast(0.95),
  );
}
