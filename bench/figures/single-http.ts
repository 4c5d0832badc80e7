import { standardFleet } from '../load/fleet.ts';
import type { LoadResult } from '../load/load-spec.ts';
import { startRole } from '../measure/roles.ts';
import { startRival } from '../rivals/start-rival.ts';
import type { Figure, ResultRow } from './figure.ts';
import { atLeast, comparedRow, compareInTurn } from './in-turn.ts';
import { loadWithTimes, ProcessorTimes, type TakesPart } from './processor-time.ts';
import { requireAccepted } from './require-accepted.ts';

const connectionCounts = [32, 128] as const;

/** How many single messages a second are answered 202 after JetStream's PubAck. */
export const singleHttp: Figure = {
  name: 'single-http',
  title: 'Single HTTP, answered 202 after PubAck',
  async run(bench) {
    const { servers, backend, effort } = bench;
    await using cleanup = new AsyncDisposableStack();
    await backend.register(standardFleet);
    const gateway = await startRole(servers, 'gateway', { profileFolder: bench.profileFolder });
    cleanup.defer(() => gateway.stop());
    const bare = await startRival(servers, 'bare-http.ts');
    cleanup.defer(() => bare.stop());
    const rows: ResultRow[] = [];
    const loads: LoadResult[] = [];
    const notes: string[] = [];
    const nats = { name: 'NATS', pid: servers.natsPid };
    for (const connections of connectionCounts) {
      const times = { ours: new ProcessorTimes(), rival: new ProcessorTimes() };
      const against = async (side: keyof typeof times, port: number, processes: readonly TakesPart[]) => {
        const door = { kind: 'single', port, connections } as const;
        const spec = { door, fleet: standardFleet, pace: { kind: 'closed' }, ...effort } as const;
        const { load, shares } = await loadWithTimes(spec, processes);
        times[side].add(shares);
        loads.push(load);
        return requireAccepted(load, `single HTTP, ${connections} connections`).acceptedPerSecond;
      };
      bench.say(`${connections} connections`);
      const compared = await compareInTurn(effort.rounds, {
        ours: async () => {
          await backend.clear();
          return against('ours', gateway.port, [gateway, nats]);
        },
        rival: () => against('rival', bare.port, [bare]),
      });
      rows.push(
        comparedRow(
          `single HTTP, ${connections} connections`,
          'msg/s',
          'bare Bun.serve',
          compared,
          atLeast(0.5),
        ),
      );
      notes.push(
        `Processor time of a message, ${connections} connections: ${times.ours.sentence()}; of the limit's: ${times.rival.sentence()}.`,
      );
    }
    return { rows, notes: [...notesOn(loads), ...notes], details: loads };
  },
};

function notesOn(loads: readonly LoadResult[]): string[] {
  const share = Math.max(...loads.map(({ loadCpuShare }) => loadCpuShare));
  return [
    'The limit is a bare Bun.serve that parses the same body and answers 202, without NATS.',
    `Closed loop, one request a connection at a time; the load process took at most ${Math.round(share * 100)} % of a core.`,
  ];
}
