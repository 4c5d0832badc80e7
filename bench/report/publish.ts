import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchUsageError } from '../options.ts';
import { withFigures } from './performance-page.ts';
import type { Report } from './report.ts';
import { writeReport } from './write-report.ts';

/** What is committed: a run's own results are overwritten by the next. */
export const publishedFolder = join(import.meta.dir, '../published');
export const performancePage = join(import.meta.dir, '../../docs/performance.md');

/**
 * Puts the last run's figures into `bench/published/` in place of what was there of the same names, and the tables
 * into docs/performance.md. @returns what was done, in words. @throws BenchUsageError where there is nothing fit for it
 */
export function publishReport(resultsFolder: string): string {
  const latest = readReport(resultsFolder);
  if (latest === undefined) throw new BenchUsageError('there is no run to publish: npm run bench first');
  if (latest.quick)
    throw new BenchUsageError('the last run was a quick one: its figures are too coarse to publish');
  const published = merge(readReport(publishedFolder), latest);
  writeReport(publishedFolder, published);
  writeFileSync(performancePage, withFigures(readFileSync(performancePage, 'utf8'), published));
  return `published ${latest.figures.map(({ name }) => name).join(', ')}: bench/published/, docs/performance.md\n`;
}

export function readReport(folder: string): Report | undefined {
  const file = join(folder, 'report.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined;
}

/** A figure that failed replaces nothing. @throws BenchUsageError when the machines differ */
export function merge(earlier: Report | undefined, latest: Report): Report {
  const fresh = latest.figures.filter((figure) => !('error' in figure));
  if (earlier === undefined) return { ...latest, figures: fresh };
  const { processor, cores } = latest.machine;
  if (earlier.machine.processor !== processor || earlier.machine.cores !== cores) {
    throw new BenchUsageError(
      `what is published was measured on ${earlier.machine.cores} cores of ${earlier.machine.processor}: remove bench/published/ first, figures of two machines do not belong into one table`,
    );
  }
  const isFresh = (name: string) => fresh.some((figure) => figure.name === name);
  return { ...latest, figures: [...earlier.figures.filter(({ name }) => !isFresh(name)), ...fresh] };
}
