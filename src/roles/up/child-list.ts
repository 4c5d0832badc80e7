import { existsSync, readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { writeFileAtomically } from './data-folder.ts';
import { processStart } from './process-info.ts';

const childListSchema = Type.Array(
  Type.Object({ name: Type.String(), pid: Type.Integer(), start: Type.String() }),
);

type ChildList = Static<typeof childListSchema>;

/** The processes that `up` has running, kept in a file so that the next `up` finds them when this one is killed. */
export interface ChildLedger {
  add(name: string, pid: number): void;
  remove(pid: number): void;
}

export function createChildLedger(file: string): ChildLedger {
  let children: ChildList = [];
  const save = () => writeFileAtomically(file, `${JSON.stringify(children)}\n`);
  return {
    add: (name, pid) => {
      const start = processStart(pid);
      // Gone already: nothing that could be orphaned.
      if (start === undefined) return;
      children = [...children, { name, pid, start }];
      save();
    },
    remove: (pid) => {
      children = children.filter((child) => child.pid !== pid);
      save();
    },
  };
}

/** How long an orphan gets to end in order, by its last signal. */
const gracefulMs = 20_000;

/**
 * Stops what a killed `up` left running. A process counts only when it started at the moment noted, so one that
 * has got the same id since is left alone.
 * @returns the names of what was stopped.
 */
export async function stopOrphans(file: string): Promise<string[]> {
  const orphans = readChildList(file).filter((child) => processStart(child.pid) === child.start);
  // The doors first, the servers behind them last, as in an orderly stop.
  const servers = ['nats-server', 'postgres'];
  const doors = orphans.filter(({ name }) => !servers.includes(name));
  await Promise.all(doors.map(stopOrphan));
  await Promise.all(orphans.filter(({ name }) => servers.includes(name)).map(stopOrphan));
  return orphans.map(({ name }) => name);
}

async function stopOrphan({ name, pid, start }: ChildList[number]): Promise<void> {
  const isRunning = () => processStart(pid) === start;
  // For PostgreSQL SIGTERM would wait for its clients; SIGINT does not.
  signal(pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM');
  const deadline = performance.now() + gracefulMs;
  while (isRunning() && performance.now() < deadline) await Bun.sleep(20);
  if (!isRunning()) return;
  signal(pid, name === 'postgres' ? 'SIGQUIT' : 'SIGKILL');
  while (isRunning() && performance.now() < deadline + 5_000) await Bun.sleep(20);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between.
  }
}

function readChildList(file: string): ChildList {
  if (!existsSync(file)) return [];
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Check(childListSchema, value) ? value : [];
  } catch {
    return [];
  }
}
