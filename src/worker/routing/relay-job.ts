import type { DeadLetterReason } from '../../model/dead-letter.ts';
import { routeJobId } from '../../model/route-job.ts';
import type { FailedJob } from '../../store/routes/close-groups.ts';
import type { PublishResult } from '../../stream/publisher.ts';

/** One job ready to go. */
export interface RelayJob {
  readonly tenantId: string;
  readonly routeId: number;
  readonly identity: string;
  /** Of a message. */
  readonly timeUs: number | undefined;
  /** The job's JSON without its head. */
  readonly body: string;
}

/** The jobs of one row of the outbox. */
export interface RelayGroup {
  readonly jobGroup: string;
  readonly kind: 'message' | 'status';
  /** A change of status that has been published before, and goes out again. */
  readonly isAgain?: boolean;
  /** How many `jobs` there are, for the bounds. */
  readonly size: number;
  /** Made as they are published. */
  readonly jobs: Iterable<RelayJob>;
  /** Jobs that cannot be published at all. */
  readonly failed: readonly FailedJob[];
  /** By the relay's clock: what has not begun by then is left to the sweep, which may have it in hand already. */
  readonly beginBeforeMs: number;
}

/**
 * Of two publishes of one row of the outbox JetStream keeps one. Another row with the same job, of a replayed dead letter
 * or a backfill, is meant to go out again, however shortly after: the job's own id would have it dropped, and lost. A
 * change of status may be written down twice, and is one event.
 */
export function publishId(job: RelayJob, { jobGroup, kind, isAgain }: RelayGroup): string {
  return kind === 'status' && isAgain !== true ? routeJobId(job) : `${routeJobId(job)}.${jobGroup}`;
}

/** As a dead letter names the job. */
export function keyOf({ routeId, timeUs, identity }: RelayJob) {
  return { routeId, timeUs, identity: timeUs === undefined ? undefined : identity };
}

/** Why the job becomes a dead letter. Undefined: whether ROUTES has the job is not known, or it may well have it soon. */
export function refusalOf(
  result: Exclude<PublishResult, { ok: true }>,
): { readonly reason: DeadLetterReason; readonly detail: string } | undefined {
  switch (result.why) {
    case 'stream_full':
      return { reason: 'ROUTES_FULL', detail: 'ROUTES is full' };
    case 'tenant_full':
      return { reason: 'ROUTES_FULL', detail: 'ROUTES holds as many jobs of the tenant as it may' };
    case 'too_large':
      return { reason: 'UNDELIVERABLE', detail: 'the job is larger than NATS takes' };
    default:
      return undefined;
  }
}
