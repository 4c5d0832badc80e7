import { standardFleet } from '../load/fleet.ts';
import type { Door, LoadResult } from '../load/load-spec.ts';
import { startRole } from '../measure/roles.ts';
import type { Figure } from './figure.ts';
import { atLeast, comparedRow, compareInTurn } from './in-turn.ts';
import { loadWithTimes, ProcessorTimes, type TakesPart } from './processor-time.ts';
import { requireAccepted } from './require-accepted.ts';

const connections = 8;
const batchSize = 100;
/** Found by trying: more does not make it faster. */
const publisherWindow = 4_096;

/** Batches of 100: messages made durable a second. */
export const batchHttp: Figure = {
  name: 'batch',
  title: 'Batches of 100 over HTTP, messages made durable',
  async run({ servers, backend, effort, profileFolder, say }) {
    await using cleanup = new AsyncDisposableStack();
    await backend.register(standardFleet);
    const gateway = await startRole(servers, 'gateway', { profileFolder });
    cleanup.defer(() => gateway.stop());
    const loads: LoadResult[] = [];
    const times = { ours: new ProcessorTimes(), rival: new ProcessorTimes() };
    const nats = { name: 'NATS', pid: servers.natsPid };
    const through = async (side: keyof typeof times, door: Door, processes: readonly TakesPart[]) => {
      await backend.clear();
      const spec = { door, fleet: standardFleet, pace: { kind: 'closed' }, ...effort } as const;
      const { load, shares } = await loadWithTimes(spec, processes);
      times[side].add(shares);
      loads.push(requireAccepted(load, `batch, ${door.kind}`));
      return load.acceptedPerSecond;
    };
    say(`${connections} connections, against a publisher with ${publisherWindow} in flight`);
    const compared = await compareInTurn(effort.rounds, {
      ours: () =>
        through('ours', { kind: 'batch', port: gateway.port, connections, batchSize }, [gateway, nats]),
      rival: () =>
        through('rival', { kind: 'stream', port: servers.natsPort, window: publisherWindow }, [nats]),
    });
    return {
      rows: [comparedRow('batch of 100 over HTTP', 'msg/s', 'fastest publisher', compared, atLeast(0.6))],
      notes: [
        'The limit publishes the same envelopes with the same headers into the same stream: frames made beforehand, no HTTP.',
        `The publisher took at most ${Math.round(Math.max(...loads.map((load) => load.loadCpuShare)) * 100)} % of a core.`,
        `Processor time of a message: ${times.ours.sentence()}; of the publisher's: ${times.rival.sentence()}.`,
      ],
      details: loads,
    };
  },
};
