/** `npm start`: everything from a fresh clone to a running system. */
import { join } from 'node:path';
import { prepare, projectRoot, runInstead, runScript } from './bootstrap.mjs';

await runScript(() => {
  const bun = prepare();
  runInstead(bun, [join(projectRoot, 'src', 'cli', 'main.ts'), 'up', ...process.argv.slice(2)]);
});
