import { expect, test } from 'bun:test';
import { dirname, join, relative, resolve } from 'node:path';

/** From the top down; rooms on one floor are siblings. `config/` is read by the upper floors only. */
const floors: readonly (readonly string[])[] = [
  ['cli'],
  ['prove'],
  ['roles'],
  ['config'],
  ['sources/http', 'sources/mqtt', 'worker', 'audit', 'delivery', 'console'],
  ['intake'],
  ['stream', 'store'],
  ['observe'],
  ['model'],
  ['lib'],
];

const src = resolve(import.meta.dir, '../src');

interface Import {
  readonly from: string;
  readonly to: string;
}

function roomOf(path: string): string {
  const room = floors.flat().find((name) => path === name || path.startsWith(`${name}/`));
  if (room === undefined) throw new Error(`src/${path} lies in no room of the layout`);
  return room;
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room));
}

/** Type imports count too: they are how a layer knows of another. */
const importPattern = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

async function importsOf(source: string, path: string): Promise<Import[]> {
  return [...source.matchAll(importPattern)].map(([, target = '']) => ({
    from: path,
    to: relative(src, join(dirname(join(src, path)), target)),
  }));
}

function offence({ from, to }: Import): string | undefined {
  if (to.startsWith('..')) return undefined; // sql/, package.json
  const [a, b] = [roomOf(from), roomOf(to)];
  if (a === b || floorOf(a) < floorOf(b)) return undefined;
  return `src/${from} imports src/${to}: ${floorOf(a) === floorOf(b) ? 'siblings' : 'upward'}`;
}

async function allImports(): Promise<Import[]> {
  const files = [...new Bun.Glob('**/*.ts').scanSync(src)];
  const imports = await Promise.all(
    files.map(async (path) => importsOf(await Bun.file(join(src, path)).text(), path)),
  );
  return imports.flat();
}

/** Ways from a module back to itself, one at least where there are any. */
function cyclesIn(imports: readonly Import[]): string[] {
  const importsFrom = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, way: readonly string[]) => {
    const start = way.indexOf(path);
    if (start >= 0) cycles.push([...way.slice(start), path].join(' → '));
    if (start >= 0 || done.has(path)) return;
    for (const { to } of importsFrom.get(path) ?? []) visit(to, [...way, path]);
    done.add(path);
  };
  for (const path of importsFrom.keys()) visit(path, []);
  return cycles;
}

test('imports run downward only and siblings never import each other', async () => {
  const imports = await allImports();
  expect(imports.length).toBeGreaterThan(50);
  expect(imports.flatMap((each) => offence(each) ?? [])).toEqual([]);
});

test('the check sees an upward import and an import between siblings', () => {
  expect(offence({ from: 'model/reasons.ts', to: 'store/pool.ts' })).toContain('upward');
  expect(offence({ from: 'stream/puller.ts', to: 'store/pool.ts' })).toContain('siblings');
  expect(offence({ from: 'intake/intake.ts', to: 'stream/publisher.ts' })).toBeUndefined();
});

test('no module comes back to itself through what it imports, types included', async () => {
  expect(cyclesIn(await allImports())).toEqual([]);
  const [a, b, c] = ['model/a.ts', 'model/b.ts', 'model/c.ts'] as const;
  const round = [
    { from: a, to: b },
    { from: b, to: c },
    { from: c, to: b },
  ];
  expect(cyclesIn(round)).toEqual([`${b} → ${c} → ${b}`]);
});

test('only cli/ reads the environment', async () => {
  const files = [...new Bun.Glob('**/*.ts').scanSync(src)].filter((path) => !path.startsWith('cli/'));
  const readers: string[] = [];
  for (const path of files) {
    const text = await Bun.file(join(src, path)).text();
    if (/process\.env|Bun\.env/.test(text)) readers.push(path);
  }
  expect(readers).toEqual([]);
});
