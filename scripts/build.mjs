/** `npm run build`: one executable with everything inside but nats-server and PostgreSQL, in `dist/`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { prepare, projectRoot, runScript, SetupError } from './bootstrap.mjs';

await runScript(() => {
  const outfile = resolve(process.argv[2] ?? join(projectRoot, 'dist', 'tributary'));
  const bun = prepare({ withDevelopment: false });
  mkdirSync(join(outfile, '..'), { recursive: true });
  const built = spawnSync(bun, ['scripts/build-executable.ts', outfile], {
    cwd: projectRoot,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (built.status !== 0)
    throw new SetupError(`scripts/build-executable.ts ended with ${built.status}: see above`);
  // What was built must run, and be what was asked for.
  const wanted = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).version;
  const told = spawnSync(outfile, ['--version'], { encoding: 'utf8' }).stdout?.trim();
  if (told !== wanted) throw new SetupError(`${outfile} says it is version ${told}, not ${wanted}`);
  console.log(
    `${outfile}: ${wanted}, ${Math.round(statSync(outfile).size / 2 ** 20)} MiB, for ${process.platform}-${process.arch}`,
  );
});
