/** `npm start`: everything from a fresh clone to a running system. */
import { prepare, runCli, runScript } from './bootstrap.mjs';

await runScript(() => runCli(prepare(), ['up', ...process.argv.slice(2)]));
