import { type Command, InvalidArgumentError } from 'commander';
import pino from 'pino';
import type { Fault } from '../../prove/faults/fault.ts';
import { faults, parseFaults } from '../../prove/faults/faults.ts';
import { type ProveProgress, proveDefaults, runProve } from '../../prove/prove.ts';
import { createReport } from '../../prove/report.ts';
import { needsOf } from '../../prove/schedule.ts';
import { brokerMissing, findBroker } from '../../prove/stack/broker.ts';
import { faketimeMissing, findFaketime } from '../../prove/stack/faked-clock.ts';
import { whyNoMount } from '../../prove/stack/small-disk.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { CliError, usageError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/number.ts';
import { ownProgram } from '../own-program.ts';
import { positiveNumber, wholeNumber } from '../parsers.ts';
import { describeReport } from '../prove/describe.ts';
import { type PossibleFaults, possibleFaults } from '../prove/possible-faults.ts';
import type { Terminal } from '../terminal.ts';

type Options = {
  readonly trials: number;
  readonly minutes?: number;
  readonly faults?: readonly Fault[];
  readonly seed?: number;
  readonly messages?: number;
  readonly cluster?: boolean;
  readonly keep?: boolean;
};

/** Of a long trial, unless `--messages` says otherwise. */
const messagesPerMinute = 12_000;

export function addProveCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'prove',
    summary: 'break things on purpose and count what is lost or doubled',
    details:
      'Brings up its own NATS, PostgreSQL, two gateways, two MQTT listeners and two workers in a temporary folder; ' +
      'nothing of yours is touched. It sends a seeded load over HTTP, in batches and over MQTT, writes down what was ' +
      'answered, strikes with faults, lets it settle, and compares every answer with the rows. Exit code 1 when ' +
      'anything is lost, doubled or does not add up.\n\n' +
      `Faults:\n${faults.map(({ name, about }) => `  ${name.padEnd(20)} ${about}`).join('\n')}\n\n` +
      'Groups of them: kill, pause, restart, network, full, disk, clock-step, routes, bridge, cluster; all: without the last five.',
    examples: [
      'prove',
      'prove --trials 100 --faults kill-worker --seed 7',
      'prove --minutes 2 --faults all --json',
      'prove --cluster --trials 30',
    ],
    settings: [],
  })
    .option('--trials <n>', 'how many', wholeNumber(1, 100_000), proveDefaults.trials)
    .option(
      '--minutes <n>',
      'length of a trial, in which faults follow one another; default: one fault a trial, and no longer than it takes',
      positiveNumber(24 * 60),
    )
    .option('--faults <names>', 'names or groups, with commas between (default: kill)', parseFaultList)
    .option(
      '--seed <n>',
      'the same seed sends and strikes the same; default: a random one',
      wholeNumber(0, 4_294_967_295),
    )
    .option(
      '--messages <n>',
      'messages of a trial; default 1,000, or 12,000 a minute',
      wholeNumber(1, 1_000_000),
    )
    .option(
      '--cluster',
      'on a cluster of three nats-servers, with three workers; its faults, unless --faults says otherwise',
    )
    .option('--keep', 'keep the folder with the data and logs; it stays, too, when something was found')
    .action(async (options: Options, self: Command) => {
      const { terminal, signals, environment, json, clock } = invocationOf(context, self);
      const seed = options.seed ?? Math.floor(context.random() * 4_294_967_296);
      const trials =
        options.minutes === undefined || self.getOptionValueSource('trials') === 'cli' ? options.trials : 1;
      const { possible: chosen, leftOut } = chooseFaults(options, environment.PATH ?? '');
      for (const { fault, why } of leftOut) terminal.note(`left out: ${fault}: ${why}`);
      terminal.note(`seed ${seed}`);
      const startedMs = performance.now();
      const result = await runProve({
        trials,
        minutes: options.minutes,
        faults: chosen,
        seed,
        messages: options.messages ?? defaultMessages(options.minutes),
        keep: options.keep === true ? 'always' : 'on violation',
        cluster: options.cluster === true,
        counts: options.cluster === true ? proveDefaults.clusterCounts : proveDefaults.counts,
        environment,
        roleCommand: (role) => [...ownProgram.command, role],
        onProgress: createProgress(terminal, trials),
        stop: signals.stop(),
        now: () => performance.now(),
        wallClock: clock,
        log: pino({ level: 'silent' }),
      });
      terminal.clearProgress();
      const report = createReport(result, { seed, elapsedMs: performance.now() - startedMs, leftOut });
      terminal.out(json ? toJson(report) : describeReport(report, terminal.columns));
      if (!report.passed) throw new CliError(failureOf(report));
    });
}

function chooseFaults(
  { faults: asked, cluster = false, minutes }: Options,
  searchPath: string,
): PossibleFaults {
  const wanted = asked ?? parseFaults([cluster ? 'cluster' : 'kill']);
  const chosen = possibleFaults(wanted, findFaketime() === undefined ? faketimeMissing : undefined);
  if (chosen.possible.length === 0) throw usageError(`No fault is left: ${faketimeMissing}.`);
  if (cluster && needsOf(chosen.possible).has('proxies'))
    throw usageError('Faults of the network are of one server: leave them out with --cluster.');
  const isBridged = needsOf(chosen.possible).has('broker');
  if (isBridged && findBroker(searchPath) === undefined) throw usageError(`${brokerMissing}.`);
  if (isBridged && minutes !== undefined && chosen.possible.some(({ group }) => group !== 'bridge'))
    throw usageError(
      'Faults of the bridge run on a stack of their own: leave the others out with --minutes.',
    );
  const whyNoDisk = needsOf(chosen.possible).has('small disks') ? whyNoMount() : undefined;
  if (whyNoDisk !== undefined)
    throw usageError(`Faults of the disk mount a tmpfs, and ${whyNoDisk}: leave them out, or use sudo.`);
  return chosen;
}

function defaultMessages(minutes: number | undefined): number {
  return minutes === undefined ? proveDefaults.messages : Math.ceil(minutes * messagesPerMinute);
}

function failureOf({
  stopped_early: stoppedEarly,
  violations,
}: {
  stopped_early: boolean;
  violations: readonly unknown[];
}): string {
  if (violations.length === 0 && stoppedEarly) return 'Stopped before the last trial.';
  return `${formatCount(violations.length)} violations.`;
}

function parseFaultList(text: string): readonly Fault[] {
  try {
    return parseFaults(text.split(',').map((name) => name.trim()));
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** A line that moves on a terminal, a line a trial elsewhere; what was found is told at once on both. */
function createProgress(terminal: Terminal, trials: number): (progress: ProveProgress) => void {
  let done = 0;
  return (progress) => {
    if (progress.what === 'stack') return terminal.note(`stack in ${progress.folder}`);
    if (progress.what === 'checking') return terminal.progress('checking everything once more');
    const { faults: struck, answered, unknown, redeliveries, violations, durationMs } = progress.result;
    done += 1;
    const line = [
      `${done} of ${trials}`,
      struck.length > 3 ? `${struck.length} faults` : struck.map(({ note }) => note).join('; '),
      `${formatCount(answered)} answered, ${unknown} unknown, ${redeliveries} redelivered`,
      `${(durationMs / 1_000).toFixed(1)} s`,
    ].join(' · ');
    if (terminal.errorIsTerminal) terminal.progress(line);
    else terminal.note(line);
    for (const { kind, what } of violations.slice(0, 5)) terminal.note(`  ${kind}: ${what}`);
  };
}
