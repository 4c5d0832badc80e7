import { resolve } from 'node:path';
import type { ProveReport } from '../../src/prove/report.ts';

export const ownMain = resolve(import.meta.dir, '../../src/cli/main.ts');

/** Runs `tributary prove --json` of a source tree to its end. What it keeps goes into the folder. */
export function runProve(main: string, folder: string, ...args: string[]): Promise<Proved> {
  return runProveWith({}, main, folder, ...args);
}

interface Proved {
  readonly code: number;
  readonly report: ProveReport;
  readonly log: string;
}

/** @param programs a folder that is looked in first */
export async function runProveWith(
  { programs }: { readonly programs?: string },
  main: string,
  folder: string,
  ...args: string[]
): Promise<Proved> {
  const path = [programs ?? [], process.env.PATH ?? ''].flat().join(':');
  const child = Bun.spawn([process.execPath, main, 'prove', '--json', ...args], {
    env: { PATH: path, HOME: process.env.HOME, TMPDIR: folder, NO_COLOR: '1' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, log, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (stdout === '') throw new Error(`prove ended with ${code} and no report:\n${log}`);
  return { code, report: JSON.parse(stdout) as ProveReport, log };
}
