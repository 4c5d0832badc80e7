import { standardFleet } from '../load/fleet.ts';
import type { LoadResult } from '../load/load-spec.ts';
import { runLoad } from '../load/run-load.ts';
import { startRole } from '../measure/roles.ts';
import { startRival } from '../rivals/start-rival.ts';
import type { Figure, ResultRow } from './figure.ts';
import { atLeast, comparedRow, compareInTurn } from './in-turn.ts';
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
    for (const window of windows) {
      say(`${connections} connections, ${window} in flight on each`);
      const against = async (port: number) => {
        const load = await runLoad({
          door: { kind: 'mqtt', port, connections, window },
          fleet: standardFleet,
          pace: { kind: 'closed' },
          ...effort,
        });
        loads.push(requireAccepted(load, 'MQTT'));
        return load.acceptedPerSecond;
      };
      const compared = await compareInTurn(effort.rounds, {
        ours: async () => {
          await backend.clear();
          return against(role.port);
        },
        rival: () => against(bare.port),
      });
      const label = `MQTT QoS 1, ${connections} connections × ${window}`;
      rows.push(comparedRow(label, 'msg/s', 'aedes alone', compared, atLeast(0.5)));
    }
    return {
      rows,
      notes: [
        `The limit is aedes alone with an empty publish hook. ${connections} devices with credentials; × 1: each waits for its PUBACK, × 10: ten in flight on each connection.`,
        `The load process took at most ${Math.round(Math.max(...loads.map((load) => load.loadCpuShare)) * 100)} % of a core.`,
      ],
      details: loads,
    };
  },
};
