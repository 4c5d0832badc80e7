import { existsSync, readFileSync } from 'node:fs';

/**
 * What tells a process from a later one with the same id: `undefined` when there is no such process. The text is
 * only good for comparing.
 */
export function processStart(pid: number): string | undefined {
  if (!existsSync('/proc/self/stat')) return startAsPsTells(pid);
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold anything; the start time is field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  // Ticks since boot: without the boot they would repeat.
  const boot = readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return `${boot}/${fields[19]}`;
}

function startAsPsTells(pid: number): string | undefined {
  const ps = Bun.spawnSync(['ps', '-o', 'lstart=', '-p', String(pid)]);
  const text = ps.stdout.toString().trim();
  return ps.success && text !== '' ? text : undefined;
}

function readOrUndefined(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
