import { expect, test } from 'bun:test';
import type { ResultRow } from '../../bench/figures/figure.ts';
import { atLeast, below, comparedRow, compareInTurn } from '../../bench/figures/in-turn.ts';
import { spreadOf } from '../../bench/measure/statistics.ts';
import { rowsMarkdown } from '../../bench/report/markdown.ts';
import { isMet } from '../../bench/report/rows.ts';
import { linesSvg, niceMax, ratiosSvg } from '../../bench/report/svg.ts';
import { terminalTable } from '../../bench/report/terminal-table.ts';

const rate: ResultRow = {
  label: 'single HTTP, 128 connections that talk',
  unit: 'msg/s',
  ours: spreadOf([23_942, 31_221, 28_000]),
  rival: { name: 'bare Bun.serve', measured: spreadOf([73_953, 83_986, 70_000]) },
  ratio: spreadOf([0.32, 0.37, 0.4]),
  wanted: atLeast(0.5),
};
const latency: ResultRow = { label: 'p99', unit: 'ms', ours: spreadOf([4.2]), wanted: below(5) };

test('both sides are measured once a round, and take turns in going first', async () => {
  const order: string[] = [];
  const side = (name: string, base: number) => async (round: number) => {
    order.push(`${name}${round}`);
    return base + round;
  };
  const compared = await compareInTurn(3, { ours: side('ours', 10), rival: side('rival', 20) });
  expect(order).toEqual(['ours0', 'rival0', 'rival1', 'ours1', 'ours2', 'rival2']);
  expect(compared.ours.values).toEqual([10, 11, 12]);
  expect(compared.ratio.values).toEqual([10 / 20, 11 / 21, 12 / 22]);
  expect(comparedRow('a', 'msg/s', 'b', compared, atLeast(0.5)).rival?.measured.values).toEqual([20, 21, 22]);
});

test('what is wanted is judged by the median, on its own side of the limit', () => {
  expect(isMet(rate, atLeast(0.37))).toBe(true);
  expect(isMet(rate, atLeast(0.38))).toBe(false);
  expect(isMet(latency, below(5))).toBe(true);
  expect(isMet(latency, below(4.2))).toBe(false);
  expect(isMet(latency, atLeast(0.5))).toBe(false);
});

test('the table fits 80 columns, and a long label goes on below', () => {
  const lines = terminalTable([rate, latency]).split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines[1]).toMatch(/^single HTTP, 128 +28,000 msg\/s +73,953 +0\.37 \(0\.32–0\.40\) +≥ 0\.5 +no$/);
  expect(lines[2]).toBe('  connections that talk');
  expect(lines.at(-1)).toMatch(/^p99 +4\.20 ms +< 5 +yes$/);
});

test('the page names the rival and gives the spread of each number', () => {
  expect(rowsMarkdown([rate]).split('\n').at(-1)).toBe(
    '| single HTTP, 128 connections that talk | 28,000 (23,942–31,221) msg/s | 73,953 (70,000–83,986) msg/s, bare Bun.serve | 0.37 (0.32–0.40) | ≥ 0.5 | no |',
  );
});

test('plots are well-formed pictures whatever the labels hold', async () => {
  const lines = linesSvg({
    name: 'x',
    title: 'A & B <of> "C"',
    xLabel: 'minutes',
    yLabel: 'msg/s',
    lines: [
      {
        label: 'a',
        points: [
          [0, 0],
          [1, 2_500_000],
        ],
      },
      { label: 'none', points: [] },
    ],
  });
  for (const svg of [lines, ratiosSvg('Ratios', [rate, latency]), ratiosSvg('Nothing', [])]) {
    expect(svg).toStartWith('<svg xmlns="http://www.w3.org/2000/svg"');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    const tags = svg.match(/<\/?[a-z]+/g) ?? [];
    expect(tags.filter((tag) => tag === '<text').length).toBe(tags.filter((tag) => tag === '</text').length);
  }
  expect(lines).toContain('A &amp; B &lt;of&gt; &quot;C&quot;');
  expect(lines).toContain('2.5M');
});

test('axes end at round numbers', () => {
  expect([0, 0.7, 1, 1.1, 3, 26, 30, 999].map(niceMax)).toEqual([1, 0.8, 1, 1.2, 3, 30, 30, 1_000]);
});
