/** `npm run bench`: from a fresh clone to the figures. Arguments go to the benchmark; `--help` lists them. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, projectRoot, runScript } from '../scripts/bootstrap.mjs';

await runScript(async () => {
  const bun = prepare({ withDevelopment: true });
  const [first, ...rest] = process.argv.slice(2);
  const program = first === 'soak' ? ['soak.ts', ...rest] : ['main.ts', ...process.argv.slice(2)];
  const [file, ...args] = program;
  const child = spawn(bun, [join(projectRoot, 'bench', file), ...args], {
    stdio: 'inherit',
    // Debian keeps servers where only root's PATH looks.
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin` },
  });
  // The terminal has told the child already, which cleans up after itself.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
});
