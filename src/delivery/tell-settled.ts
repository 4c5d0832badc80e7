import type { MessageLog } from '../observe/message-log.ts';
import type { Settlement } from './settlement.ts';

/** A line in the log for each parcel that is tried again or was given up; none for what was delivered. */
export function tellSettled(log: MessageLog, { parcel, verdict }: Settlement): void {
  // What the destination said may quote its address, which may hold a secret: that is for the dead letter alone.
  if (verdict.kind === 'dead') {
    const { reason, attempts } = verdict;
    log.tell('job_given_up', () => ({ ...aboutOf(parcel), reason, attempts }));
  } else if (verdict.kind === 'wait' && verdict.error !== undefined) {
    const { attempts, dueInMs } = verdict;
    log.tell('job_retried', () => ({ ...aboutOf(parcel), attempts, dueInMs }));
  }
}

/** Of a batch the first job says which it is. */
function aboutOf({ tenantId, routeId, id, jobs }: Settlement['parcel']) {
  const { deviceId, identity } = jobs[0]?.content ?? {};
  return { tenantId, deviceId, identity, routeId, jobId: id, jobs: jobs.length };
}
