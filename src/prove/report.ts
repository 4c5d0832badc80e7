import type { ProveResult } from './prove.ts';
import type { FaultResult, TrialResult } from './trial.ts';
import { type Violation, type ViolationKind, violationKinds } from './violation.ts';

/** One line of the table: all trials under one fault, or under a mixture. */
export interface FaultSummary {
  readonly fault: string;
  readonly trials: number;
  readonly messages: number;
  readonly answered: number;
  readonly stored: number;
  readonly quarantined: number;
  readonly lost: number;
  readonly doubled: number;
  /** Acknowledged by a broker that lost them when it was killed, before a bridge had them; no violation. */
  readonly forgotten_by_broker: number;
  readonly unknown: number;
  readonly redeliveries: number;
  readonly first_yes_ms: Spread | undefined;
  /** Until the stream had another leader; undefined: nobody struck at a cluster. */
  readonly elected_ms: Spread | undefined;
  /** From there until the first yes. */
  readonly after_election_ms: Spread | undefined;
  readonly settled_ms: Spread | undefined;
  readonly worst_yes_ms: number;
}

/** Of times in whole ms. */
export interface Spread {
  readonly median: number;
  readonly worst: number;
}

export interface ProveReport {
  readonly seed: number;
  readonly passed: boolean;
  readonly stopped_early: boolean;
  readonly elapsed_ms: number;
  readonly total: FaultSummary;
  readonly faults: readonly FaultSummary[];
  /** How often each fault struck, also in mixtures. */
  readonly strikes: Readonly<Record<string, number>>;
  readonly violations: readonly ReportedViolation[];
  /** Violations by kind, all kinds. */
  readonly counts: Readonly<Record<ViolationKind, number>>;
  /** Each message that a killed broker lost, and how that is known. */
  readonly forgotten: readonly string[];
  readonly folders: readonly string[];
  /** Faults that were asked for and that this machine cannot stage. */
  readonly left_out: readonly LeftOut[];
}

export interface LeftOut {
  readonly fault: string;
  readonly why: string;
}

export type ReportedViolation = Violation & {
  /** Undefined: found at the end, over all trials. */
  readonly trial: number | undefined;
  readonly seed: number | undefined;
  readonly faults: readonly string[];
};

export function createReport(
  result: ProveResult,
  run: { seed: number; elapsedMs: number; leftOut: readonly LeftOut[] },
): ProveReport {
  const violations = violationsOf(result);
  const groups = Map.groupBy(result.trials, faultsOf);
  const counts = Object.fromEntries(
    violationKinds.map((kind) => [kind, violations.filter((each) => each.kind === kind).length]),
  ) as Record<ViolationKind, number>;
  const atEnd = violations.filter(({ trial }) => trial === undefined);
  return {
    seed: run.seed,
    passed: violations.length === 0 && !result.stoppedEarly,
    stopped_early: result.stoppedEarly,
    elapsed_ms: Math.round(run.elapsedMs),
    total: summarize('all', result.trials, atEnd),
    faults: [...groups].map(([fault, trials]) => summarize(fault, trials)),
    strikes: strikesOf(result.trials),
    violations,
    counts,
    forgotten: result.trials.flatMap((trial) => trial.forgotten.map(({ what }) => what)),
    folders: result.folders,
    left_out: run.leftOut,
  };
}

function violationsOf({ trials, violations }: ProveResult): ReportedViolation[] {
  const inTrials = trials.flatMap((trial) =>
    trial.violations.map((violation) => ({
      ...violation,
      trial: trial.trial,
      seed: trial.seed,
      faults: trial.faults.map(({ name }) => name),
    })),
  );
  const known = new Set(inTrials.map(({ what }) => what));
  const late = violations
    .filter(({ what }) => !known.has(what))
    .map((violation) => ({ ...violation, trial: undefined, seed: undefined, faults: [] }));
  return [...inTrials, ...late];
}

function faultsOf({ faults }: TrialResult): string {
  const names = new Set(faults.map(({ name }) => name));
  return names.size > 1 ? 'mixed' : ([...names][0] ?? 'none');
}

function strikesOf(trials: readonly TrialResult[]): Record<string, number> {
  const strikes: Record<string, number> = {};
  for (const { name } of trials.flatMap(({ faults }) => faults)) strikes[name] = (strikes[name] ?? 0) + 1;
  return strikes;
}

function summarize(
  fault: string,
  trials: readonly TrialResult[],
  more: readonly Violation[] = [],
): FaultSummary {
  const sum = (of: (trial: TrialResult) => number) => trials.reduce((total, trial) => total + of(trial), 0);
  const violations = [...trials.flatMap((trial) => trial.violations), ...more];
  const count = (kind: ViolationKind) => violations.filter((each) => each.kind === kind).length;
  const faults = trials.flatMap((trial) => trial.faults);
  return {
    fault,
    trials: trials.length,
    messages: sum((trial) => trial.messages),
    answered: sum((trial) => trial.answered),
    stored: sum((trial) => trial.stored),
    quarantined: sum((trial) => trial.quarantined),
    lost: count('lost'),
    doubled: count('doubled'),
    forgotten_by_broker: sum((trial) => trial.forgotten.length),
    unknown: sum((trial) => trial.unknown),
    redeliveries: sum((trial) => trial.redeliveries),
    first_yes_ms: spreadOf(faults.flatMap(({ firstYesMs }) => firstYesMs ?? [])),
    elected_ms: spreadOf(faults.flatMap(({ electedMs }) => electedMs ?? [])),
    after_election_ms: spreadOf(faults.flatMap(afterElection)),
    settled_ms: spreadOf(faults.flatMap(({ settledMs }) => settledMs ?? [])),
    worst_yes_ms: Math.round(Math.max(0, ...trials.map(({ worstYesMs }) => worstYesMs))),
  };
}

/** What was heard of no election before its yes has missed the one that mattered. */
function afterElection({ electedMs, firstYesMs }: FaultResult): number[] {
  return electedMs === undefined || firstYesMs === undefined || firstYesMs < electedMs
    ? []
    : [firstYesMs - electedMs];
}

function spreadOf(times: readonly number[]): Spread | undefined {
  if (times.length === 0) return undefined;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (index: number) => Math.round(sorted[index] ?? 0);
  return { median: at(sorted.length >> 1), worst: at(sorted.length - 1) };
}
