import { resolve } from 'node:path';

export const projectRoot = resolve(import.meta.dir, '../..');

export function readDoc(path: string): Promise<string> {
  return Bun.file(resolve(projectRoot, path)).text();
}

/** The texts of the fenced blocks with this info string. */
export function codeBlocks(markdown: string, info: string): string[] {
  const fence = /^```(.*)\n([\s\S]*?)^```$/gm;
  return [...markdown.matchAll(fence)].filter(([, each]) => each === info).map(([, , text = '']) => text);
}

/** The cells of the table rows whose first cell matches, code marks taken off the first two. */
export function tableRows(markdown: string, firstCell: RegExp): string[][] {
  return [...markdown.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = '']) => row.split(' | ').map((cell) => cell.replace(/^`(.*)`$/, '$1')))
    .filter(([first = '']) => firstCell.test(first));
}
