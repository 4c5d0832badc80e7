import { resolve } from 'node:path';

export const deployFolder = resolve(import.meta.dir, '../../deploy');

/** Undefined: it is not installed; the CI insists on it. */
export const promtool = Bun.which('promtool') ?? undefined;

/** Runs promtool in a folder. @returns how it ended, and all that it said */
export async function runPromtool(
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string } = {},
): Promise<{ readonly code: number; readonly said: string }> {
  if (promtool === undefined) throw new Error('promtool is not installed: apt-get install prometheus');
  const { cwd = deployFolder, input } = options;
  const child = Bun.spawn([promtool, ...args], {
    cwd,
    stdin: input === undefined ? 'ignore' : new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, said: stdout + stderr };
}
