import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { spreadOf } from '../../bench/measure/statistics.ts';
import { withFigures } from '../../bench/report/performance-page.ts';
import { merge, performancePage, publishedFolder, readReport } from '../../bench/report/publish.ts';
import type { Report, ReportedFigure } from '../../bench/report/report.ts';

const figure = (name: string, value: number): ReportedFigure => ({
  name,
  title: `The figure ${name}`,
  measuredAt: '2026-01-02T03:04:05Z',
  commit: 'abc1234',
  rows: [{ label: name, unit: 'msg/s', ours: spreadOf([value]) }],
  notes: ['a note'],
});
const machine = {
  processor: 'P',
  cores: 2,
  memoryGiB: 8,
  system: 'Linux',
  bun: '1',
  node: '2',
  nats: '3',
  postgres: '4',
  commit: 'abc1234',
};
const report = (...figures: ReportedFigure[]): Report => ({
  finishedAt: '2026-01-02T03:04:05Z',
  quick: false,
  rounds: 3,
  seconds: 60,
  machine,
  figures,
});

test('a run of some figures replaces these and leaves the others; one that failed replaces nothing', () => {
  const earlier = report(figure('a', 1), figure('b', 2));
  const {
    rows: _,
    notes: __,
    ...failed
  } = figure('a', 0) as ReportedFigure & { rows: unknown; notes: unknown };
  const merged = merge(earlier, report({ ...failed, error: 'broke' }, figure('b', 3)));
  expect(merged.figures).toEqual([figure('a', 1), figure('b', 3)]);
  const elsewhere = { ...report(), machine: { ...machine, cores: 64 } };
  expect(() => merge(earlier, elsewhere)).toThrow(/2 cores of P/);
});

test('the page gets the tables between its marks, and keeps the rest', () => {
  const page = withFigures(readFileSync(performancePage, 'utf8'), report(figure('a', 12_345)));
  expect(page).toStartWith('# Performance');
  expect(page).toContain('### The figure a\n\n| figure |');
  expect(page).toContain('| a | 12,345 msg/s |');
  expect(page).toContain('## What was tried');
  expect(withFigures(page, report(figure('a', 12_345)))).toBe(page);
  expect(() => withFigures('no marks', report())).toThrow(/lost its marks/);
});

test('no figure of the page was typed by hand: it is what the published report says', () => {
  const published = readReport(publishedFolder);
  const page = readFileSync(performancePage, 'utf8');
  if (published === undefined) expect(page).toContain('No full run has been published yet.');
  else expect(withFigures(page, published)).toBe(page);
});
