import { expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { projectRoot } from './code-blocks.ts';

const pages = ['README.md', 'CHANGELOG.md']
  .concat([...new Bun.Glob('{docs,examples}/**/*.md').scanSync(projectRoot)])
  .toSorted();

interface Link {
  readonly from: string;
  readonly target: string;
}

/** Links and images, but not what only looks like one inside code. */
function linksOf(page: string): Link[] {
  const text = withoutCode(readFileSync(join(projectRoot, page), 'utf8'));
  const inline = [...text.matchAll(/\]\(\s*<?([^()\s<>]+(?:\([^()\s]*\))?)>?[^()]*\)/g)];
  const definitions = [...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...definitions].map(([, target = '']) => ({ from: page, target }));
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*\n[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '``');
}

/** Why a reader who follows the link gets nowhere; undefined when he gets there, or leaves the project. */
function fault({ from, target }: Link): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = '', anchor] = decodeURIComponent(target).split('#', 2);
  const file = path === '' ? join(projectRoot, from) : resolve(projectRoot, dirname(from), path);
  if (relative(projectRoot, file).startsWith('..')) return `${from}: ${target} leaves the project`;
  if (!existsSync(file)) return `${from}: ${target} is not there`;
  if (anchor === undefined) return undefined;
  if (statSync(file).isDirectory() || !file.endsWith('.md'))
    return `${from}: ${target} is no page with anchors`;
  return anchorsOf(readFileSync(file, 'utf8')).has(anchor)
    ? undefined
    : `${from}: ${target} has no such heading`;
}

/** As GitHub makes them: lower case, blanks to hyphens, other punctuation gone, a number behind a repeated one. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set([...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = '']) => id));
  const seen = new Map<string, number>();
  for (const [, heading = ''] of markdown
    .replace(/^```.*\n[\s\S]*?^```$/gm, '')
    .matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = text
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

test('every link of README, docs and examples leads somewhere', () => {
  const links = pages.flatMap(linksOf);
  expect(links.length).toBeGreaterThan(50);
  expect(links.flatMap((link) => fault(link) ?? [])).toEqual([]);
});

test('every page of docs is in its index', () => {
  const indexed = linksOf('docs/README.md').map(({ target }) => join('docs', target.split('#')[0] ?? ''));
  const missing = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  expect(missing.filter((page) => !indexed.includes(page))).toEqual([]);
});

test('the check sees missing files and headings, and knows GitHub’s anchors', () => {
  expect(fault({ from: 'README.md', target: 'docs/nowhere.md' })).toContain('is not there');
  expect(fault({ from: 'README.md', target: 'docs/README.md#nowhere' })).toContain('no such heading');
  expect(fault({ from: 'README.md', target: '#nowhere' })).toContain('no such heading');
  expect(fault({ from: 'README.md', target: 'https://nats.io/#anything' })).toBeUndefined();
  expect([...anchorsOf('# `A_B` & [C](d.md)!\n## Two words\n## Two words\n```\n# no\n```\n')]).toEqual([
    'a_b--c',
    'two-words',
    'two-words-1',
  ]);
});
