import { resolve } from 'node:path';

/** What the browser loads; `path` is below `/assets/` and has a hash of the content in it. */
export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface BuiltPages {
  /** Answers every path of the console that is not a file: the pages find their way themselves. */
  readonly html: string;
  readonly files: readonly PageFile[];
}

const web = resolve(import.meta.dir, '../../../web');

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/**
 * Bundles `web/`. Needs nothing but the sources, so it can run at a start or when an executable is built.
 * @throws AggregateError when the sources do not build
 */
export async function buildPages(): Promise<BuiltPages> {
  const { outputs } = await Bun.build({
    entrypoints: ['main.tsx', 'theme.ts', 'styles/main.css'].map((file) => resolve(web, file)),
    root: web,
    target: 'browser',
    format: 'esm',
    minify: true,
    naming: '[name]-[hash].[ext]',
  });
  const files = await Promise.all(outputs.map(toFile));
  return { html: htmlOf(files), files };
}

async function toFile(output: Bun.BuildArtifact): Promise<PageFile> {
  const path = output.path.replace(/^.*\//, '');
  const type = types[path.replace(/^.*\./, '')];
  if (type === undefined) throw new Error(`the pages build to a file of unknown type: ${path}`);
  return { path, type, bytes: new Uint8Array(await output.arrayBuffer()) };
}

function htmlOf(files: readonly PageFile[]): string {
  const href = (name: string, ending: string) => {
    const found = files.find(({ path }) => path.startsWith(`${name}-`) && path.endsWith(ending));
    if (found === undefined) throw new Error(`the pages built to no ${name}${ending}`);
    return `/assets/${found.path}`;
  };
  // The theme's script comes first and holds up the page: it is tiny, and a wrong colour would flash.
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tributary</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%230b8ab3' stroke-width='3' stroke-linecap='round'%3E%3Cpath d='M4 3c0 7 8 6 8 12v6M20 3c0 7-8 6-8 12'/%3E%3C/svg%3E">
<link rel="stylesheet" href="${href('main', '.css')}">
<script src="${href('theme', '.js')}"></script>
<script type="module" src="${href('main', '.js')}"></script>
</head>
<body><div id="app"></div><noscript>Tributary's console needs JavaScript. The API at /api/v1 does not.</noscript></body>
</html>
`;
}
