import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Effort, Figure } from './figures/figure.ts';
import { openBackend } from './measure/backend.ts';
import { describeMachine } from './measure/machine.ts';
import { startServers } from './measure/servers.ts';
import type { Report, ReportedFigure } from './report/report.ts';

export const resultsFolder = join(import.meta.dir, 'results');

/** Somebody ended the run; there is nothing to say about it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

export interface SessionOptions {
  readonly effort: Effort;
  readonly profile: boolean;
  readonly figures: readonly Figure[];
  /** Called after each figure with all that were measured so far: a run of an hour that is ended early keeps them. */
  readonly onFigure: (report: Report) => void;
}

/** Starts the servers, measures the figures, stops the servers. @throws InterruptedError at SIGINT or SIGTERM */
export async function measureFigures(options: SessionOptions): Promise<Report> {
  const startedAtMs = performance.now();
  /** Progress goes to standard error: standard output is the report's. */
  const say = (line: string) => {
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
    process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
  };
  return Promise.race([measure(options, say), interrupted()]);
}

/** What was started ends with us: the kernel tells it. */
function interrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => reject(new InterruptedError(signal)));
  });
}

async function measure(
  { effort, profile, figures, onFigure }: SessionOptions,
  say: (line: string) => void,
): Promise<Report> {
  const startedAtMs = performance.now();
  say('starting NATS and PostgreSQL');
  await using cleanup = new AsyncDisposableStack();
  const servers = await startServers(say);
  // Also when we are interrupted and nothing is awaited any more.
  process.on('exit', () => rmSync(servers.folder, { recursive: true, force: true }));
  cleanup.defer(() => servers.stop());
  const backend = await openBackend(servers);
  cleanup.defer(() => backend.close());
  const profileFolder = profile ? join(resultsFolder, 'profiles') : undefined;
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
  const bench: Bench = { servers, backend, effort, profileFolder, say: (line) => say(`  ${line}`) };
  const machine = await describeMachine(servers, backend.pool);
  const reported: ReportedFigure[] = [];
  const report = (): Report => ({
    finishedAt: new Date().toISOString(),
    quick: effort.quick,
    rounds: effort.rounds,
    seconds: (performance.now() - startedAtMs) / 1_000,
    machine,
    figures: [...reported],
  });
  for (const figure of figures) {
    say(figure.title);
    reported.push({
      ...(await runFigure(figure, bench)),
      measuredAt: new Date().toISOString(),
      commit: machine.commit,
    });
    onFigure(report());
  }
  return report();
}

/** One that fails does not take the others with it; the report says why. */
async function runFigure(figure: Figure, bench: Bench) {
  const { name, title } = figure;
  try {
    return { name, title, ...(await figure.run(bench)) };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    bench.say(`failed: ${words}`);
    return { name, title, error: words };
  }
}
