/**
 * `bun scripts/build-executable.ts OUTFILE`: compiles the program. The console's pages are bundled now and put in place of
 * their building, since an executable carries no sources of theirs.
 */
import { resolve } from 'node:path';
import { type BuiltPages, buildPages } from '../src/console/pages/build-pages.ts';

const [outfile] = process.argv.slice(2);
if (outfile === undefined) throw new Error('name the file to make: bun scripts/build-executable.ts OUTFILE');

const module = asModule(await buildPages());
await Bun.build({
  entrypoints: [resolve(import.meta.dir, '../src/cli/main.ts')],
  compile: { outfile },
  plugins: [
    {
      name: 'pages',
      setup: (build) => {
        build.onLoad({ filter: /[\\/]console[\\/]pages[\\/]build-pages\.ts$/ }, () => ({
          contents: module,
          loader: 'js',
        }));
      },
    },
  ],
});

/** The source of a module with the same `buildPages`, its result in it. */
function asModule({ html, files }: BuiltPages): string {
  const items = files.map(
    ({ path, type, bytes }) =>
      `{ path: ${JSON.stringify(path)}, type: ${JSON.stringify(type)}, bytes: Uint8Array.fromBase64(${JSON.stringify(bytes.toBase64())}) }`,
  );
  return `export const buildPages = async () => ({ html: ${JSON.stringify(html)}, files: [${items.join(', ')}] });\n`;
}
