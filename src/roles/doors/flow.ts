import type { CanaryState } from '../../intake/canary.ts';
import type { Flow } from '../../sources/http/flow-route.ts';
import type { Backlog } from '../../stream/backlog-sample.ts';
import type { HeardAudit } from '../status/heard-audit.ts';

export interface FlowFacts {
  /** Undefined: no connection to NATS was made yet. */
  readonly disconnectedForMs: number | undefined;
  /** Undefined: none are sent. */
  readonly canary: CanaryState | undefined;
  readonly canaryIntervalMs: number;
  /** How long ago JetStream refused a message because the stream is full; undefined: never. */
  readonly fullAgoMs: number | undefined;
  readonly backlog: Backlog | undefined;
  readonly durability: string | undefined;
  /** Undefined while none is known. */
  readonly audit: HeardAudit | undefined;
}

/** A canary that came through longer ago than this says that messages do not flow. */
const stuckAfterMs = 15_000;

/** A stream that refused a message this short a time ago counts as full. */
const fullForMs = 5_000;

export function describeFlow(facts: FlowFacts): Flow {
  const problems = [connection(facts), stream(facts), canary(facts), missing(facts)].filter(
    (problem) => problem !== undefined,
  );
  return {
    flowing: problems.length === 0,
    doorToRowMs: facts.canary?.doorToRowMs,
    lastSettledAtMs: facts.canary?.cameAtMs,
    backlog: facts.backlog,
    durability: facts.durability,
    unaccounted: facts.audit?.unaccounted,
    problems,
  };
}

function connection({ disconnectedForMs }: FlowFacts): string | undefined {
  if (disconnectedForMs === undefined) return 'NATS has not been reached yet: nothing is accepted.';
  if (disconnectedForMs === 0) return undefined;
  return `NATS has been away for ${seconds(disconnectedForMs)}: nothing is accepted.`;
}

function stream({ canary: state, fullAgoMs }: FlowFacts): string | undefined {
  // A canary is small: where it still fits, other messages may not.
  const isRefusing = fullAgoMs !== undefined && fullAgoMs < fullForMs;
  if (!isRefusing && state?.refusedWhy !== 'stream_full') return undefined;
  return 'TELEMETRY is full: messages are answered 503 until workers have made room.';
}

function canary({ canary: state, canaryIntervalMs }: FlowFacts): string | undefined {
  if (state === undefined) return undefined;
  const refused = state.refusedWhy === undefined ? '' : ` JetStream refused the latest: ${state.refusedWhy}.`;
  if (state.ageMs === undefined) return `No canary has come through yet.${refused}`;
  if (state.ageMs <= Math.max(stuckAfterMs, 3 * canaryIntervalMs)) return undefined;
  const why = refused === '' ? ' Is a worker running, and does PostgreSQL answer?' : refused;
  return `The last canary came through ${seconds(state.ageMs)} ago.${why}`;
}

/** What an operator has acknowledged is shown, and no problem any more. */
function missing({ audit }: FlowFacts): string | undefined {
  if (audit === undefined || audit.unacknowledged === 0) return undefined;
  return `The audit does not account for ${audit.unacknowledged} messages: see tributary audit.`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
