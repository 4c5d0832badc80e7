import { bridgeFaults } from './bridge.ts';
import { clockSteps } from './clock-step.ts';
import { clusterFaults } from './cluster.ts';
import type { Fault } from './fault.ts';
import { fullDisks } from './full-disk.ts';
import { fullStream } from './full-stream.ts';
import { cutConnections, halfOpenConnections } from './network.ts';
import { killBackend, killFaults, pauseFaults, restartFaults } from './processes.ts';
import { routeFaults } from './routes.ts';

/** Everything that can happen to a stack, by name. */
export const faults: readonly Fault[] = [
  ...killFaults,
  killBackend,
  ...pauseFaults,
  ...restartFaults,
  cutConnections,
  halfOpenConnections,
  fullStream,
  ...fullDisks,
  ...clockSteps,
  ...routeFaults,
  ...bridgeFaults,
  ...clusterFaults,
];

/** What stands for several: a group, or all that need no special machine. */
const words: Readonly<Record<string, (fault: Fault) => boolean>> = {
  kill: ({ group }) => group === 'kill',
  pause: ({ group }) => group === 'pause',
  restart: ({ group }) => group === 'restart',
  network: ({ group }) => group === 'network',
  full: ({ group }) => group === 'full',
  disk: ({ group }) => group === 'disk',
  'clock-step': ({ group }) => group === 'clock-step',
  routes: ({ group }) => group === 'routes',
  bridge: ({ group }) => group === 'bridge',
  cluster: ({ group }) => group === 'cluster',
  all: ({ group }) => !['disk', 'clock-step', 'routes', 'bridge', 'cluster'].includes(group),
};

const faultWords: readonly string[] = [...Object.keys(words), ...faults.map(({ name }) => name)];

/** Faults by names and group names. @throws TypeError that names the unknown one and lists the others. */
export function parseFaults(names: readonly string[]): Fault[] {
  const chosen = names.flatMap((name) => {
    const belongs = Object.hasOwn(words, name) ? words[name] : undefined;
    const found = faults.filter((fault) => (belongs === undefined ? fault.name === name : belongs(fault)));
    if (found.length === 0)
      throw new TypeError(`no fault ${JSON.stringify(name)}: give of ${faultWords.join(', ')}`);
    return found;
  });
  return [...new Set(chosen)];
}
