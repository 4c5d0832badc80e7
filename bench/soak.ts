/** `npm run bench -- soak`: a long load at half of the maximum. */
import { parseArgs } from 'node:util';
import { type SoakOptions, soak } from './figures/soak.ts';
import { efforts } from './options.ts';
import { showReport } from './report/show-report.ts';
import { writeReport } from './report/write-report.ts';
import { InterruptedError, measureFigures, resultsFolder } from './session.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string' },
    door: { type: 'string', default: 'single' },
  },
});
const options: SoakOptions = {
  minutes: positive('--minutes', values.minutes),
  door: values.door === 'batch' ? 'batch' : 'single',
  messagesPerSecond: values.rate === undefined ? undefined : positive('--rate', values.rate),
};
const figure = { name: 'soak', title: 'A long load at half of the maximum', run: runSoak };
process.exit(await main());

async function main(): Promise<number> {
  try {
    const report = await measureFigures({
      effort: { ...efforts.full, quick: true },
      profile: false,
      figures: [figure],
      onFigure: () => undefined,
    });
    // Only the search for the rate was a quick one.
    writeReport(resultsFolder, { ...report, quick: false, rounds: 1 });
    process.stdout.write(showReport(report));
    return report.figures.some((each) => 'error' in each) ? 1 : 0;
  } catch (error) {
    if (error instanceof InterruptedError) return 130;
    throw error;
  }
}

function runSoak(bench: Parameters<typeof soak>[0]) {
  return soak(bench, options);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`${flag} ${text}: give a number above 0`);
  process.exit(2);
}
