/** `npm run bench`: measures the figures, prints a table, writes the report. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Figure } from './figures/figure.ts';
import { figures as allFigures } from './figures/figures.ts';
import { openBackend } from './measure/backend.ts';
import { describeMachine } from './measure/machine.ts';
import { startServers } from './measure/servers.ts';
import { type BenchOptions, BenchUsageError, parseBenchOptions, usage } from './options.ts';
import type { Report, ReportedFigure } from './report/report.ts';
import { terminalTable } from './report/terminal-table.ts';
import { writeReport } from './report/write-report.ts';

const resultsFolder = join(import.meta.dir, 'results');
const startedAtMs = performance.now();

async function run(argv: readonly string[]): Promise<number> {
  try {
    const options = parseBenchOptions(argv, allFigures);
    if (options.help) {
      process.stdout.write(usage(allFigures));
      return 0;
    }
    const report = await Promise.race([measure(options), interrupted()]);
    writeReport(resultsFolder, report);
    show(report, options);
    return report.figures.some((figure) => 'error' in figure) ? 1 : 0;
  } catch (error) {
    if (error instanceof InterruptedError) return 130;
    if (!(error instanceof BenchUsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Rejects at SIGINT or SIGTERM. What was started ends with us: the kernel tells it. */
function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => reject(new InterruptedError(signal)));
  });
}

async function measure(options: BenchOptions): Promise<Report> {
  say('starting NATS and PostgreSQL');
  await using cleanup = new AsyncDisposableStack();
  const servers = await startServers(say);
  // Also when we are interrupted and nothing is awaited any more.
  process.on('exit', () => rmSync(servers.folder, { recursive: true, force: true }));
  cleanup.defer(() => servers.stop());
  const backend = await openBackend(servers);
  cleanup.defer(() => backend.close());
  const profileFolder = options.profile ? join(resultsFolder, 'profiles') : undefined;
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
  const bench: Bench = {
    servers,
    backend,
    effort: options.effort,
    profileFolder,
    say: (line) => say(`  ${line}`),
  };
  const reported: ReportedFigure[] = [];
  for (const figure of options.figures) reported.push(await runFigure(figure, bench));
  return {
    finishedAt: new Date().toISOString(),
    quick: options.effort.quick,
    rounds: options.effort.rounds,
    seconds: (performance.now() - startedAtMs) / 1_000,
    machine: await describeMachine(servers, backend.pool),
    figures: reported,
  };
}

/** One that fails does not take the others with it; the report says why. */
async function runFigure(figure: Figure, bench: Bench): Promise<ReportedFigure> {
  const { name, title } = figure;
  say(title);
  try {
    return { name, title, ...(await figure.run(bench)) };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    say(`failed: ${words}`);
    return { name, title, error: words };
  }
}

function show(report: Report, { json }: BenchOptions): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const rows = report.figures.flatMap((figure) => ('error' in figure ? [] : figure.rows));
  process.stdout.write(`\n${terminalTable(rows)}\n\n`);
  for (const figure of report.figures) {
    if ('error' in figure) process.stdout.write(`failed: ${figure.title}: ${figure.error}\n`);
  }
  process.stdout.write(`${Math.round(report.seconds)} s; the whole report: bench/results/report.md\n`);
}

/** Progress goes to standard error: standard output is the report's. */
function say(line: string): void {
  const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
}

process.exit(await run(process.argv.slice(2)));
