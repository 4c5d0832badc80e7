import { standardFleet } from '../load/fleet.ts';
import type { LoadResult } from '../load/load-spec.ts';
import { startRole } from '../measure/roles.ts';
import { startRival } from '../rivals/start-rival.ts';
import type { Figure, ResultRow } from './figure.ts';
import { atLeast, comparedRow, compareInTurn } from './in-turn.ts';
import { loadWithTimes, ProcessorTimes, type TakesPart } from './processor-time.ts';
import { requireAccepted } from './require-accepted.ts';

const connections = 100;
/** Publishes of one connection without their PUBACK: a device that waits for each, and one that does not. */
const windows = [1, 10] as const;

/** QoS 1 publishes acknowledged a second, each only after JetStream has it. */
export const mqtt: Figure = {
  name: 'mqtt',
  title: 'MQTT QoS 1, PUBACK after PubAck',
  async run({ servers, backend, effort, profileFolder, say }) {
    await using cleanup = new AsyncDisposableStack();
    await backend.register(standardFleet);
    const role = await startRole(servers, 'mqtt', { profileFolder });
    cleanup.defer(() => role.stop());
    const bare = await startRival(servers, 'bare-mqtt.ts');
    cleanup.defer(() => bare.stop());
    const loads: LoadResult[] = [];
    const rows: ResultRow[] = [];
    const notes: string[] = [];
    const nats = { name: 'NATS', pid: servers.natsPid };
    for (const window of windows) {
      say(`${connections} connections, ${window} in flight on each`);
      const times = { ours: new ProcessorTimes(), rival: new ProcessorTimes() };
      const against = async (side: keyof typeof times, port: number, processes: readonly TakesPart[]) => {
        const door = { kind: 'mqtt', port, connections, window } as const;
        const spec = { door, fleet: standardFleet, pace: { kind: 'closed' }, ...effort } as const;
        const { load, shares } = await loadWithTimes(spec, processes);
        times[side].add(shares);
        loads.push(requireAccepted(load, 'MQTT'));
        return load.acceptedPerSecond;
      };
      const compared = await compareInTurn(effort.rounds, {
        ours: async () => {
          await backend.clear();
          return against('ours', role.port, [role, nats]);
        },
        rival: () => against('rival', bare.port, [bare]),
      });
      const label = `MQTT QoS 1, ${connections} connections × ${window}`;
      rows.push(comparedRow(label, 'msg/s', 'aedes alone', compared, atLeast(0.5)));
      notes.push(
        `Processor time of a message, × ${window}: ${times.ours.sentence()}; of the limit's: ${times.rival.sentence()}.`,
      );
    }
    return {
      rows,
      notes: [
        `The limit is aedes alone with an empty publish hook. ${connections} devices with credentials; × 1: each waits for its PUBACK, × 10: ten in flight on each connection.`,
        `The load process took at most ${Math.round(Math.max(...loads.map((load) => load.loadCpuShare)) * 100)} % of a core.`,
        ...notes,
      ],
      details: loads,
    };
  },
};
