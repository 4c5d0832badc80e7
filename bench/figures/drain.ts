import { join } from 'node:path';
import { wrapCommand } from '../../src/roles/up/child-process.ts';
import { type FleetSpec, standardFleet } from '../load/fleet.ts';
import { runLoad } from '../load/run-load.ts';
import type { Backend } from '../measure/backend.ts';
import { measureDrain } from '../measure/drain-rate.ts';
import { type RoleOptions, startRole } from '../measure/roles.ts';
import type { Servers } from '../measure/servers.ts';
import type { StatementsSpec } from '../rivals/settling-statements.ts';
import type { Bench, Figure } from './figure.ts';
import { atLeast, comparedRow, compareInTurn } from './in-turn.ts';
import { ProcessorTimes, sharesOf, startTimes, type TakesPart } from './processor-time.ts';

/** How fast a worker brings a standing backlog into PostgreSQL. */
export const drain: Figure = {
  name: 'drain',
  title: 'Worker, drain of a standing backlog',
  async run(bench) {
    const { servers, backend, effort } = bench;
    await backend.clear();
    await backend.register(standardFleet);
    const prepare = async () => {
      await backend.clear();
      await backend.knowSensors(standardFleet);
    };
    const times = { ours: new ProcessorTimes(), rival: new ProcessorTimes() };
    const compared = await compareInTurn(effort.rounds, {
      ours: async () => {
        await prepare();
        await fillStream(servers, standardFleet, effort.backlog);
        return drainWith(bench, { profileFolder: bench.profileFolder }, effort.backlog, 1, times.ours);
      },
      rival: async () => {
        await prepare();
        return settleFromMemory(bench, standardFleet, effort.backlog, times.rival);
      },
    });
    return {
      rows: [comparedRow('worker drain', 'msg/s', 'the statements alone', compared, atLeast(0.8))],
      notes: [
        `${effort.backlog.toLocaleString('en')} messages of ${standardFleet.devices.toLocaleString('en')} devices × 3 metrics drawn at random; one worker as shipped.`,
        'The limit runs the same statements on the same rows from memory, in transactions of the same size, as many at once: no NATS, no judging. Both go to the last commit; latest values of the last seconds are written after it.',
        `Processor time of a message, once all are running, to the last commit: ${times.ours.sentence()}; of the statements: ${times.rival.sentence()}. What one process takes it takes on one core.`,
      ],
    };
  },
};

/** Puts a backlog into the stream as the gateway would have. */
export async function fillStream(servers: Servers, fleet: FleetSpec, messages: number): Promise<void> {
  await runLoad({
    door: { kind: 'stream', port: servers.natsPort, window: 4_096 },
    fleet,
    pace: { kind: 'count', messages },
    warmUpMs: 0,
    measureMs: 0,
  });
}

/** Starts workers on the backlog that is there. `times` is told what it took. @returns messages per second */
export async function drainWith(
  { servers, backend }: Bench,
  options: RoleOptions,
  messages: number,
  workers = 1,
  times?: ProcessorTimes,
): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const starting = Array.from({ length: workers }, () => startRole(servers, 'worker', options));
  const drained = measureDrain(backend, messages);
  drained.catch(() => undefined);
  const running = await Promise.all(starting);
  for (const worker of running) cleanup.defer(() => worker.stop());
  const parts = running.map(({ pid }) => ({ name: 'worker', pid }));
  const took = await fromNowOn(backend, [...parts, ...serversOf(servers)]);
  const { perSecond } = await drained;
  times?.add(took(messages));
  return perSecond;
}

/** Processor times from now on, by the messages that are still to come: what is over is the start of a process. */
async function fromNowOn({ settled }: Backend, processes: readonly TakesPart[]) {
  const took = startTimes(processes);
  const before = await settled();
  return (messages: number) => sharesOf(processes, took(), messages - before);
}

function serversOf({ natsPid, postgresPid }: Servers): TakesPart[] {
  return [
    { name: 'NATS', pid: natsPid },
    { name: 'PostgreSQL', pid: postgresPid, scope: 'tree' },
  ];
}

const statements = join(import.meta.dir, '../rivals/settling-statements.ts');
/** As the worker has them by default. */
const asShipped = { batchSize: 1_000, lanes: 2 } as const;

async function settleFromMemory(
  { servers, backend }: Bench,
  fleet: FleetSpec,
  messages: number,
  times: ProcessorTimes,
): Promise<number> {
  const spec: StatementsSpec = { databaseUrl: servers.databaseUrl, fleet, messages, ...asShipped };
  const command = [process.execPath, statements, JSON.stringify(spec)];
  const child = Bun.spawn([...wrapCommand({ command, signalWhenParentDies: 'TERM' })], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  // The rows are made before the clock starts.
  for await (const _ of child.stdout) break;
  const took = await fromNowOn(backend, [{ name: 'client', pid: child.pid }, ...serversOf(servers)]);
  const drained = measureDrain(backend, messages);
  drained.catch(() => undefined);
  child.stdin.write('go\n');
  child.stdin.flush();
  const crashed = child.exited.then((code) => {
    if (code !== 0) throw new Error(`the statements ended with ${code}: see above`);
    return drained;
  });
  const { perSecond } = await Promise.race([drained, crashed]);
  times.add(took(messages).filter(({ name }) => name !== 'NATS'));
  child.stdin.end();
  await child.exited;
  return perSecond;
}
