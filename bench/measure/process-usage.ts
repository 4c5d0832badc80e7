import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel has counted for a process and everything below it. */
export interface Usage {
  /** User and system time, in µs; resolution 10 ms. */
  readonly cpuUs: number;
  /** Resident, shared pages counted once for each process that maps them. */
  readonly rssBytes: number;
  /** Private and a fair part of what is shared; undefined where the kernel does not tell. */
  readonly pssBytes: number | undefined;
}

const usPerTick = 10_000;

/**
 * A process alone, or with its descendants (PostgreSQL is a tree of them). Time of children that have ended counts
 * where their parent has waited for them.
 * @throws Error when the process is gone
 */
export function usageOf(pid: number, scope: 'alone' | 'tree' = 'alone'): Usage {
  const pids = scope === 'alone' ? [pid] : [pid, ...descendantsOf(pid)];
  let cpuUs = 0;
  let rssBytes = 0;
  let pssBytes: number | undefined = 0;
  for (const each of pids) {
    const stat = statOf(each);
    if (stat === undefined) {
      if (each === pid) throw new Error(`process ${pid} is gone: it ended during the measurement`);
      continue;
    }
    cpuUs += stat.ownTicks * usPerTick + (scope === 'tree' ? stat.childTicks * usPerTick : 0);
    const memory = memoryOf(each);
    // It has ended while it was read: without it, or what is shared would be counted once for each of the others.
    if (memory.pssBytes === undefined && each !== pid && statOf(each) === undefined) continue;
    rssBytes += memory.rssBytes;
    pssBytes =
      memory.pssBytes === undefined || pssBytes === undefined ? undefined : pssBytes + memory.pssBytes;
  }
  return { cpuUs, rssBytes, pssBytes };
}

interface Stat {
  readonly parent: number;
  readonly ownTicks: number;
  readonly childTicks: number;
}

function statOf(pid: number): Stat | undefined {
  const text = readProc(pid, 'stat');
  if (text === undefined) return undefined;
  // The name in parentheses may hold spaces; what follows the last parenthesis starts with the third field.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  return { parent: field(4), ownTicks: field(14) + field(15), childTicks: field(16) + field(17) };
}

function memoryOf(pid: number): { rssBytes: number; pssBytes: number | undefined } {
  const rssKib = kibOf(readProc(pid, 'status'), 'VmRSS') ?? 0;
  const pssKib = kibOf(readProc(pid, 'smaps_rollup'), 'Pss');
  return { rssBytes: rssKib * 1024, pssBytes: pssKib === undefined ? undefined : pssKib * 1024 };
}

function kibOf(text: string | undefined, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text ?? '');
  return found === null ? undefined : Number(found[1]);
}

export function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = statOf(pid)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  const walk = (pid: number) => {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      walk(child);
    }
  };
  walk(root);
  return found;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
