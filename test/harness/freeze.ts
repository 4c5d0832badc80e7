import { readdirSync, readFileSync } from 'node:fs';
import { freeze } from '../stream/stream-fixture.ts';

/** Stops a process and its children in their tracks, as PostgreSQL's postmaster and backends. @returns their thawing */
export async function freezeTree(pid: number): Promise<() => void> {
  // The parent first: it makes no more children then.
  await freeze(pid);
  const children = childrenOf(pid);
  for (const child of children) await freeze(child);
  return () => {
    for (const each of [...children, pid]) process.kill(each, 'SIGCONT');
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid)
    .map(Number);
}

function parentOf(pid: string): number | undefined {
  try {
    const found = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    // It ended in between.
    return undefined;
  }
}
