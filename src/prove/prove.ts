import { join } from 'node:path';
import type { Logger } from 'pino';
import { createSeededRandom } from '../lib/seeded-random.ts';
import { maxAheadMs } from '../worker/arrival.ts';
import { checkLatest } from './check/check-latest.ts';
import { checkLeaks } from './check/check-leaks.ts';
import { checkMessages } from './check/check-messages.ts';
import { checkRollups } from './check/check-rollups.ts';
import { readRows } from './check/rows.ts';
import type { Fault } from './faults/fault.ts';
import type { JournalEntry } from './journal.ts';
import { registerDevices, tokenMark } from './load/fleet.ts';
import { makeMessages, type ProveDevice } from './load/message.ts';
import { type RouteProof, startRouteProof } from './routes/route-proof.ts';
import { needsOf, scheduleMany, scheduleOne } from './schedule.ts';
import { whenEmpty } from './settled.ts';
import type { ProvenRole } from './stack/proven-role.ts';
import type { StackShape } from './stack/settings.ts';
import { type Stack, startStack } from './stack/stack.ts';
import { runTrial, type TrialResult, trialDefaults } from './trial.ts';
import type { Violation } from './violation.ts';

export interface ProveOptions {
  readonly trials: number;
  /** Of each trial; undefined: one fault a trial, and no longer than that takes. */
  readonly minutes: number | undefined;
  readonly faults: readonly Fault[];
  readonly seed: number;
  /** On three nats-servers, whatever the faults need. */
  readonly cluster: boolean;
  /** Per trial. */
  readonly messages: number;
  /** What becomes of the folder with the servers' data and all logs. */
  readonly keep: 'never' | 'on violation' | 'always';
  readonly counts: Readonly<Record<ProvenRole, number>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The command line that runs a role. */
  readonly roleCommand: (role: ProvenRole) => readonly string[];
  readonly onProgress: (progress: ProveProgress) => void;
  /** Ends the run early; what was done by then is reported. */
  readonly stop: AbortSignal;
  readonly now: () => number;
  readonly wallClock: () => number;
  readonly log: Logger;
}

export type ProveProgress =
  | { readonly what: 'stack'; readonly folder: string }
  | { readonly what: 'trial'; readonly result: TrialResult }
  | { readonly what: 'checking' };

export interface ProveResult {
  readonly trials: readonly TrialResult[];
  /** Found over all trials at the end, beside what each trial found. */
  readonly violations: readonly Violation[];
  readonly stoppedEarly: boolean;
  /** Folders that were kept. */
  readonly folders: readonly string[];
}

export const proveDefaults = {
  messages: 1_000,
  trials: 20,
  counts: { gateway: 2, mqtt: 2, 'mqtt-bridge': 2, worker: 2, delivery: 2 } satisfies Record<
    ProvenRole,
    number
  >,
  clusterCounts: { gateway: 2, mqtt: 1, 'mqtt-bridge': 2, worker: 3, delivery: 2 } satisfies Record<
    ProvenRole,
    number
  >,
  /** In a short trial. */
  messagesPerSecond: 1_000,
  tenants: 4,
  devicesPerTenant: 5,
  /** Thousands of characters a message that make a small stream full. */
  paddingForSmallStream: 3,
} as const;

/** A run: trials on one stack for each shape of stack that the faults need. */
export async function runProve(options: ProveOptions): Promise<ProveResult> {
  const result = { trials: [] as TrialResult[], violations: [] as Violation[], folders: [] as string[] };
  for (const lot of lotsOf(options)) {
    if (options.stop.aborted) break;
    await runLot(lot, options, result);
  }
  return { ...result, stoppedEarly: options.stop.aborted };
}

/** Trials that share a stack. */
interface Lot {
  readonly shape: StackShape;
  readonly faults: readonly Fault[];
  /** Numbers of the trials; trial `i` has the seed of the run plus `i`. */
  readonly trials: readonly number[];
}

/** Long trials mix all faults on one stack; short ones take turns, on stacks that are no more special than they need. */
function lotsOf(options: ProveOptions): Lot[] {
  const { faults, trials, minutes } = options;
  const numbers = Array.from({ length: trials }, (_, index) => index);
  if (minutes !== undefined) return [{ shape: shapeOf(faults, options), faults, trials: numbers }];
  const lots = Map.groupBy(faults, (fault) => JSON.stringify(shapeOf([fault], options)));
  return [...lots.values()].map((own) => ({
    shape: shapeOf(own, options),
    faults: own,
    trials: numbers.filter((trial) => own.includes(faultOf(trial, { faults }))),
  }));
}

/** The faults take turns, so that each gets its share of the trials. */
function faultOf(trial: number, { faults }: Pick<ProveOptions, 'faults'>): Fault {
  const fault = faults[trial % faults.length];
  if (fault === undefined) throw new TypeError('no fault given');
  return fault;
}

function shapeOf(faults: readonly Fault[], options: Pick<ProveOptions, 'cluster'>): StackShape {
  const needs = needsOf(faults);
  return {
    proxied: needs.has('proxies'),
    smallStream: needs.has('small stream'),
    smallDisks: needs.has('small disks'),
    fakedClocks: needs.has('faked clocks'),
    routed: needs.has('routes'),
    bridged: needs.has('broker'),
    plainSubscription: needs.has('plain subscription'),
    clustered: options.cluster || needs.has('cluster'),
  };
}

async function runLot(
  { shape, faults, trials }: Lot,
  options: ProveOptions,
  result: { trials: TrialResult[]; violations: Violation[]; folders: string[] },
): Promise<void> {
  if (trials.length === 0) return;
  const stack = await startStack({ ...options, shape, random: createSeededRandom(options.seed) });
  let keep = options.keep !== 'never';
  let routes: RouteProof | undefined;
  try {
    options.onProgress({ what: 'stack', folder: stack.folder });
    const devices = await registerDevices(stack.pool, proveDefaults);
    const tenantIds = [...new Set(devices.map(({ tenantId }) => tenantId))];
    routes = shape.routed ? await startRouteProof(stack, tenantIds) : undefined;
    const entries: JournalEntry[] = [];
    const before = result.trials.length;
    for (const [index, trial] of trials.entries()) {
      if (options.stop.aborted) break;
      const { entries: own, ...trialResult } = await runOne(
        { stack, routes, trial, devices, faults, firstN: index * options.messages },
        options,
      );
      entries.push(...own);
      result.trials.push(trialResult);
      options.onProgress({ what: 'trial', result: trialResult });
    }
    options.onProgress({ what: 'checking' });
    const found = options.stop.aborted ? [] : await checkAll(stack, entries, routes, options);
    result.violations.push(...found);
    const isClean =
      found.length === 0 && result.trials.slice(before).every(({ violations }) => violations.length === 0);
    keep = options.keep === 'always' || (options.keep === 'on violation' && !isClean);
  } finally {
    await routes?.stop();
    if (keep) result.folders.push(stack.folder);
    await stack.dispose(keep);
  }
}

interface OneTrial {
  readonly stack: Stack;
  readonly routes: RouteProof | undefined;
  readonly trial: number;
  readonly devices: readonly ProveDevice[];
  readonly faults: readonly Fault[];
  readonly firstN: number;
}

async function runOne({ stack, routes, trial, devices, faults, firstN }: OneTrial, options: ProveOptions) {
  const { now, wallClock, stop, minutes } = options;
  const seed = (options.seed + trial) >>> 0;
  // A stream of numbers for each purpose: how often a retry asks for one depends on the machine, the rest must not.
  const randomFor = (purpose: number) => createSeededRandom(Math.imul(seed, 2_654_435_761) + purpose);
  const random = randomFor(0);
  const durationMs =
    minutes === undefined ? (options.messages / proveDefaults.messagesPerSecond) * 1_000 : minutes * 60_000;
  const messages = makeMessages({
    count: options.messages,
    firstN,
    devices,
    random,
    nowMs: wallClock(),
    doors: stack.doors,
    padding: stack.shape.smallStream ? proveDefaults.paddingForSmallStream : 0,
    runId: `${options.seed}`,
  });
  const strikes =
    minutes === undefined
      ? scheduleOne(faultOf(trial, options), durationMs, random)
      : scheduleMany(faults, durationMs, random);
  return runTrial({
    stack,
    routes,
    trial,
    seed,
    messages,
    durationMs,
    strikes,
    randomFor,
    now,
    wallClock,
    stop,
  });
}

/** Once more over everything, for what came back late: the same rows, and what follows from them. */
async function checkAll(
  stack: Stack,
  entries: readonly JournalEntry[],
  routes: RouteProof | undefined,
  { now, stop }: ProveOptions,
): Promise<Violation[]> {
  const patience = { timeoutMs: trialDefaults.patienceMs, now, stop };
  const left = await whenEmpty(stack, patience);
  const replayed = (await routes?.replay(patience)) ?? [];
  const rows = await readRows(stack.pool, 0);
  const { violations } = checkMessages(entries, rows, stack.broker);
  const leftovers: Violation[] =
    left === 0 ? [] : [{ kind: 'stuck', what: `${left} messages are settled and still in the stream` }];
  // What waits at a broker arrives whenever a bridge takes it.
  const doorsAheadMs =
    stack.broker !== undefined ? Number.POSITIVE_INFINITY : stack.shape.fakedClocks ? maxAheadMs : 0;
  return [
    ...violations,
    ...(await checkLatest(stack.pool, entries, doorsAheadMs)),
    ...(await checkRollups(stack.pool)),
    ...(await checkLeaks(stack.pool, join(stack.folder, 'logs'), tokenMark)),
    ...replayed,
    ...leftovers,
  ];
}
