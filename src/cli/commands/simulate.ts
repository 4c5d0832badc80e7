import { type Command, InvalidArgumentError } from 'commander';
import { createSeededRandom } from '../../lib/seeded-random.ts';
import type { TenantId } from '../../model/identifiers.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { findInstance, noInstance } from '../locate.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/number.ts';
import { parseTenantId, positiveNumber, wholeNumber } from '../parsers.ts';
import { newDeviceToken } from '../secrets.ts';
import { makeFleet, type SimulatedDevice } from '../simulate/fleet.ts';
import { createBatchSender, createSingleSender } from '../simulate/http-senders.ts';
import { createMqttSender } from '../simulate/mqtt-sender.ts';
import { createProgress } from '../simulate/progress.ts';
import { limitsFor, registerFleet } from '../simulate/register-fleet.ts';
import { runScript } from '../simulate/run.ts';
import { createScript, defaultShares, type Shares } from '../simulate/script.ts';
import { describeSummary, type SimulationSummary, summarize } from '../simulate/summary.ts';
import { createTally } from '../simulate/tally.ts';
import { checkTarget, type Target } from '../simulate/target.ts';

interface Options {
  readonly devices: number;
  readonly rate: number;
  readonly minutes: number;
  readonly seed?: number;
  readonly tenant: TenantId;
  readonly httpUrl?: string;
  readonly mqttUrl?: string;
  readonly allowRemote?: boolean;
  readonly late: number;
  readonly duplicates: number;
  readonly wrongTokens: number;
}

const answerTimeoutMs = 5_000;
const maxUnanswered = 2_000;

export function addSimulateCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'simulate',
    summary: 'send what a believable fleet sends, over HTTP and MQTT',
    details:
      'Registers devices of a tenant of their own and lets them report: half over single HTTP, a ' +
      'quarter in batches, a quarter over MQTT; daily curves with noise, heartbeats, some messages ' +
      'late, some twice, some with a wrong token (over HTTP). Ctrl-C ends it early. At the end it ' +
      'says what the database should hold.',
    examples: ['simulate', 'simulate --devices 100 --rate 200 --minutes 2 --seed 7'],
  })
    .option('--devices <n>', 'how many', wholeNumber(1, 100_000), 20)
    .option('--rate <n>', 'messages per second of all together', positiveNumber(20_000), 10)
    .option('--minutes <n>', 'how long', positiveNumber(7 * 24 * 60), 1)
    .option(
      '--seed <n>',
      'the same seed sends the same; default: a random one',
      wholeNumber(0, 4_294_967_295),
    )
    .option('--tenant <tenant_id>', 'whose devices', parseTenantId, 'sim' as TenantId)
    .option('--late <percent>', 'messages that come minutes late', percent, 100 * defaultShares.late)
    .option('--duplicates <percent>', 'messages sent again', percent, 100 * defaultShares.duplicates)
    .option(
      '--wrong-tokens <percent>',
      'messages with a wrong token',
      percent,
      100 * defaultShares.wrongTokens,
    )
    .option('--http-url <url>', 'the gateway; default: that of the running instance')
    .option('--mqtt-url <url>', 'the MQTT listener; default: that of the running instance')
    .option('--allow-remote', 'also where the URLs are not on this machine')
    .action((options: Options, self: Command) => runSimulation(invocationOf(context, self), options));
}

async function runSimulation(invocation: Invocation, options: Options): Promise<void> {
  const { terminal, random: anySeed } = invocation;
  const target = checkTarget(targetOf(invocation, options), options.allowRemote === true);
  const seed = options.seed ?? Math.floor(anySeed() * 4_294_967_296);
  const random = createSeededRandom(seed);
  const fleet = makeFleet(options.devices, random, newDeviceToken);
  await withDatabase(invocation, (pool) =>
    registerFleet(pool, invocation, options.tenant, fleet, limitsFor(options.devices, options.rate)),
  );
  terminal.note(`${formatCount(fleet.length)} devices of tenant ${options.tenant}, seed ${seed}`);
  terminal.note(`to ${target.httpUrl} and ${target.mqttUrl}`);
  const summary = await simulate(invocation, options, { target, seed, random, fleet });
  if (invocation.json) terminal.out(toJson(summary));
  else terminal.out(describeSummary(summary, terminal.columns));
  refuseFailure(summary, target);
}

function refuseFailure(summary: SimulationSummary, target: Target): void {
  if (summary.sent === 0 || summary.accepted > 0) return;
  const [why = 'no answer'] = Object.keys(summary.reasons);
  throw new CliError(`nothing was accepted at ${target.httpUrl} and ${target.mqttUrl}: ${why}.`);
}

interface Simulation {
  readonly target: Target;
  readonly seed: number;
  readonly random: () => number;
  readonly fleet: readonly SimulatedDevice[];
}

async function simulate(
  { terminal, signals, clock }: Invocation,
  options: Options,
  { target, seed, random, fleet }: Simulation,
): Promise<SimulationSummary> {
  const tally = createTally();
  const sending = { tenantId: options.tenant, timeoutMs: answerTimeoutMs };
  const senders = {
    http: createSingleSender(target.httpUrl, sending),
    batch: createBatchSender(target.httpUrl, sending),
    mqtt: createMqttSender(target.mqttUrl, sending),
  };
  try {
    const { elapsedMs } = await runScript({
      script: createScript(fleet, sharesOf(options), random),
      senders,
      tally,
      ratePerSecond: options.rate,
      durationMs: options.minutes * 60_000,
      maxUnanswered,
      clock,
      now: () => performance.now(),
      stop: signals.stop(),
      onSecond: createProgress(terminal, tally, options.minutes * 60_000),
    });
    return summarize({ tenant_id: options.tenant, devices: fleet.length, seed, elapsedMs }, tally);
  } finally {
    terminal.clearProgress();
    await Promise.all(Object.values(senders).map((sender) => sender.close()));
  }
}

function targetOf({ config }: Invocation, options: Options): Target {
  const { httpUrl, mqttUrl } = options;
  if (httpUrl !== undefined && mqttUrl !== undefined) return { httpUrl: withoutSlash(httpUrl), mqttUrl };
  const instance = findInstance(config)?.value;
  if (instance === undefined) throw noInstance(config, 'name --http-url and --mqtt-url');
  return { httpUrl: withoutSlash(httpUrl ?? instance.httpUrl), mqttUrl: mqttUrl ?? instance.mqttUrl };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function sharesOf(options: Options): Shares {
  return {
    heartbeats: defaultShares.heartbeats,
    late: options.late / 100,
    duplicates: options.duplicates / 100,
    wrongTokens: options.wrongTokens / 100,
  };
}

function percent(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 100) return value;
  throw new InvalidArgumentError('Give a percentage from 0 to 100.');
}
