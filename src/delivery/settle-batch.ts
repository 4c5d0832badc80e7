import type pg from 'pg';
import { disableRoute } from '../store/delivery/delivery-routes.ts';
import { type DeliveredJob, recordDelivered } from '../store/delivery/record-delivered.ts';
import { type ScheduledJob, scheduleJobs } from '../store/delivery/schedule-jobs.ts';
import { deleteJobs, type Rescheduled, rescheduleJobs } from '../store/delivery/settle-leased.ts';
import { addToRouteTotals, type RouteCounts } from '../store/routes/add-to-route-totals.ts';
import { insertDeadLetters, type NewDeadLetter } from '../store/routes/insert-dead-letters.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { inTransaction } from '../store/transaction.ts';
import type { DeadReason } from './outcome.ts';
import { encodeParcel, type Job, type Parcel } from './parcel.ts';
import type { Settlement, Verdict } from './settlement.ts';

/**
 * Writes what became of each parcel, all in one transaction. A row of the schedule that another process settled, after
 * its lease was over here, counts there and not here.
 */
export async function settleBatch(pool: pg.Pool, shard: number, batch: readonly Settlement[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    await scheduleJobs(client, batch.flatMap(toSchedule));
    await rescheduleJobs(client, batch.flatMap(toReschedule));
    const ended = await endedHere(client, batch);
    await bury(client, ended);
    await recordDelivered(client, ended.flatMap(toDelivered));
    const waited = batch.filter(({ verdict }) => verdict.kind === 'wait');
    await count(client, shard, [...ended, ...waited]);
    // Last: it holds up every change of the registry until the commit.
    for (const { parcel, verdict } of ended) {
      if (verdict.kind !== 'dead' || verdict.disable === undefined) continue;
      await disableRoute(client, { routeId: parcel.routeId, ...verdict.disable }, verdict.detail);
    }
  });
}

function keyOf({ routeId, id }: Parcel): string {
  return `${routeId} ${id}`;
}

async function endedHere(client: Queryable, batch: readonly Settlement[]): Promise<Settlement[]> {
  const ended = batch.filter(({ verdict }) => verdict.kind !== 'wait');
  const leased = ended.filter(({ origin }) => origin.kind === 'schedule');
  const keys = leased.map(({ parcel }) => ({ routeId: parcel.routeId, jobId: parcel.id }));
  const deleted = new Set(
    (await deleteJobs(client, keys)).map(({ routeId, jobId }) => `${routeId} ${jobId}`),
  );
  return ended.filter(({ origin, parcel }) => origin.kind === 'stream' || deleted.has(keyOf(parcel)));
}

function toSchedule({ parcel, origin, verdict }: Settlement): ScheduledJob[] {
  if (origin.kind !== 'stream' || verdict.kind !== 'wait') return [];
  const { routeId, id: jobId, tenantId, jobs, firstAtMs } = parcel;
  const { dueInMs, attempts, error: lastError } = verdict;
  const job = encodeParcel(parcel);
  return [{ routeId, jobId, tenantId, job, jobs: jobs.length, dueInMs, attempts, firstAtMs, lastError }];
}

function toReschedule({ parcel, origin, verdict }: Settlement): Rescheduled[] {
  if (origin.kind !== 'schedule' || verdict.kind !== 'wait') return [];
  const { dueInMs, attempts, error: lastError } = verdict;
  return [{ routeId: parcel.routeId, jobId: parcel.id, dueInMs, attempts, lastError }];
}

function toDelivered({ parcel, verdict }: Settlement): DeliveredJob[] {
  if (verdict.kind !== 'delivered') return [];
  const { routeId, attempts } = parcel;
  return parcel.jobs.flatMap(({ content }) =>
    content.kind === 'message' ? { routeId, identity: content.identity, attempts: attempts + 1 } : [],
  );
}

/** Of a batch each job is a dead letter of its own. */
async function bury(client: Queryable, ended: readonly Settlement[]): Promise<void> {
  const letters = ended.flatMap(({ parcel, routeName, verdict }) =>
    verdict.kind === 'dead' ? parcel.jobs.map((job) => letterOf(job, parcel, routeName, verdict)) : [],
  );
  if (letters.length > 0) await insertDeadLetters(client, letters);
}

function letterOf(
  { content, text }: Job,
  { routeId, tenantId, firstAtMs }: Parcel,
  routeName: string | undefined,
  { reason, detail, attempts }: Extract<Verdict, { kind: 'dead' }>,
): NewDeadLetter {
  const isMessage = content.kind === 'message';
  return {
    tenantId,
    routeId,
    routeName,
    reason,
    detail,
    kind: content.kind,
    time: isMessage ? content.time : undefined,
    identity: isMessage ? content.identity : undefined,
    eventText: isMessage ? undefined : text,
    attempts,
    firstAtMs,
  };
}

async function count(client: Queryable, shard: number, settlements: readonly Settlement[]): Promise<void> {
  const counts = countJobs(settlements);
  if (counts.length > 0) await addToRouteTotals(client, shard, counts);
}

function countJobs(settlements: readonly Settlement[]): RouteCounts[] {
  const counts = new Map<number, { tenantId: string; delivered: number; retried: number; dead: number }>();
  for (const { parcel, verdict } of settlements) {
    const { routeId, tenantId, jobs } = parcel;
    const count = counts.get(routeId) ?? { tenantId, delivered: 0, retried: 0, dead: 0 };
    if (verdict.kind === 'delivered') count.delivered += jobs.length;
    else if (verdict.kind === 'dead') count.dead += jobs.length;
    else if (verdict.error !== undefined) count.retried += jobs.length;
    counts.set(routeId, count);
  }
  return [...counts]
    .map(([routeId, count]) => ({ routeId, ...count }))
    .filter(({ delivered, retried, dead }) => delivered + retried + dead > 0);
}

/** Makes dead letters of what was taken out of the schedule in the same transaction. */
export async function buryTakenOut(
  client: Queryable,
  shard: number,
  parcels: readonly Parcel[],
  { routeName, reason, detail }: { routeName: string | undefined; reason: DeadReason; detail: string },
): Promise<void> {
  const settlements = parcels.map(
    (parcel): Settlement => ({
      parcel,
      origin: { kind: 'schedule' },
      routeName,
      verdict: { kind: 'dead', reason, detail, attempts: parcel.attempts },
    }),
  );
  await bury(client, settlements);
  await count(client, shard, settlements);
}
