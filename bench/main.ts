/** `npm run bench`: measures the figures, prints a table, writes the report. */
import { figures } from './figures/figures.ts';
import { BenchUsageError, parseBenchOptions, usage } from './options.ts';
import { publishReport } from './report/publish.ts';
import { showReport } from './report/show-report.ts';
import { writeReport } from './report/write-report.ts';
import { InterruptedError, measureFigures, resultsFolder } from './session.ts';

async function run(argv: readonly string[]): Promise<number> {
  const options = parseBenchOptions(argv, figures);
  if (options.help) {
    process.stdout.write(usage(figures));
    return 0;
  }
  if (options.publish) {
    process.stdout.write(publishReport(resultsFolder));
    return 0;
  }
  const report = await measureFigures({
    ...options,
    onFigure: (soFar) => writeReport(resultsFolder, soFar),
  });
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : showReport(report));
  return report.figures.some((figure) => 'error' in figure) ? 1 : 0;
}

async function runOrExplain(argv: readonly string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    if (error instanceof InterruptedError) return 130;
    if (!(error instanceof BenchUsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

process.exit(await runOrExplain(process.argv.slice(2)));
