import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import { createWaker } from '../../lib/waker.ts';
import { encodeRouteJob } from '../../model/route-job.ts';
import type { RoutingMetrics } from '../../observe/routing.ts';
import type { ClosedGroups, FailedJob } from '../../store/routes/close-groups.ts';
import type { Publisher } from '../../stream/publisher.ts';
import type { DeadLetterRoom } from './dead-letter-room.ts';
import { keyOf, publishId, type RelayGroup, type RelayJob, refusalOf } from './relay-job.ts';

/*
 * INV. A row leaves the outbox only when each of its jobs has ROUTES' PubAck or is a dead letter, and then all at once.
 * A group of which one outcome is unknown stays, and is published again by the sweep under the same ids: of two
 * publishes of one job JetStream keeps one for as long as it remembers the id. Nobody waits for the relay: what it cannot
 * take is left in the outbox. Ingestion comes first: while it is busy the relay keeps to its share, and what is owed waits
 * in the outbox until there is time.
 */

export interface RelayOptions {
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly subjectOf: (tenantId: string) => string;
  readonly close: (closed: Omit<ClosedGroups, 'shard'>) => Promise<void>;
  readonly room: DeadLetterRoom;
  readonly metrics: Pick<RoutingMetrics, 'published'>;
  /** Whether messages wait to be settled. */
  readonly isBusy: () => boolean;
  /** Whether it is a job's turn; takes the turn. */
  readonly mayPublish: () => boolean;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  readonly random: () => number;
  readonly log: Logger;
}

export const relayDefaults = {
  /** Jobs in memory at most: they wait, or wait for their PubAck. */
  maxJobs: 20_000,
  /** Jobs that wait for their PubAck at most. */
  maxInFlight: 1_000,
  /** Rows are taken out of the outbox together, so often; less often while messages wait: it costs much the same for many. */
  closeEveryMs: 100,
  closeEveryBusyMs: 1_000,
  /** Finished groups kept at most while the database is away; what is dropped is published once more. */
  maxFinished: 1_000,
  retry: { baseMs: 200, maxMs: 5_000 } satisfies BackoffOptions,
} as const;

export interface Relay {
  /** @returns false when there is no room: the group stays in the outbox */
  offer(group: RelayGroup): boolean;
  /** Whether `offer` would take a group of the usual size. */
  readonly hasRoom: boolean;
  /** Jobs in memory. */
  readonly inHand: number;
  /** Publishes and closes what it has, for so long; the rest stays in the outbox. */
  drain(deadlineMs: number): Promise<void>;
}

export function startRelay(options: RelayOptions): Relay {
  return new RunningRelay(options);
}

interface InHand {
  readonly group: RelayGroup;
  readonly failed: FailedJob[];
  readonly statusJobs: { jobGroup: string; routeId: number }[];
  /** Jobs without an outcome yet, and one more until all are sent. */
  open: number;
  isUnknown: boolean;
}

class RunningRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #waiting: RelayGroup[] = [];
  readonly #somethingWaits = createWaker();
  readonly #somethingAcked = createWaker();
  readonly #somethingFinished = createWaker();
  #finished: InHand[] = [];
  #inHand = 0;
  #inFlight = 0;
  #isStopped = false;
  readonly #running: Promise<unknown>;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#running = Promise.all([this.#publishAll(), this.#closeAll()]);
  }

  get inHand(): number {
    return this.#inHand;
  }

  get hasRoom(): boolean {
    const most = this.#options.isBusy() ? 1 : relayDefaults.maxJobs / 2;
    return !this.#isStopped && this.#inHand < most;
  }

  offer(group: RelayGroup): boolean {
    // One that is larger than all the room would never be published.
    const fits = this.#inHand === 0 || this.#inHand + group.size <= relayDefaults.maxJobs;
    if (this.#isStopped || !fits) return false;
    this.#inHand += group.size;
    this.#waiting.push(group);
    this.#somethingWaits.wake();
    return true;
  }

  async drain(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const deadline = clock() + deadlineMs;
    while ((this.#inHand > 0 || this.#finished.length > 0) && clock() < deadline) await pause(20);
    this.#isStopped = true;
    for (const waker of [this.#somethingWaits, this.#somethingAcked, this.#somethingFinished]) waker.wake();
    await this.#running;
  }

  async #publishAll(): Promise<void> {
    while (!this.#isStopped) {
      const group = this.#waiting.shift();
      if (group === undefined) await this.#somethingWaits.wait(1_000);
      else if (group.beginBeforeMs < this.#options.clock()) this.#inHand -= group.size;
      else await this.#publishGroup(group);
    }
  }

  async #publishGroup(group: RelayGroup): Promise<void> {
    const statusJobs =
      group.kind === 'status' ? group.failed.map(({ jobGroup, routeId }) => ({ jobGroup, routeId })) : [];
    const inHand: InHand = { group, failed: [...group.failed], statusJobs, open: 1, isUnknown: false };
    for (const job of group.jobs) {
      while (this.#inFlight >= relayDefaults.maxInFlight && !this.#isStopped)
        await this.#somethingAcked.wait(100);
      await this.#pace();
      if (this.#isStopped) return;
      inHand.open += 1;
      this.#inFlight += 1;
      void this.#publishJob(job, inHand);
    }
    this.#settleOne(inHand);
  }

  async #pace(): Promise<void> {
    while (!this.#isStopped && !this.#options.mayPublish()) await pause(paceMs);
  }

  async #publishJob(job: RelayJob, inHand: InHand): Promise<void> {
    const { publisher, subjectOf, metrics } = this.#options;
    const { jobGroup, kind } = inHand.group;
    const data = Buffer.from(encodeRouteJob(job.routeId, job.identity, job.body));
    const result = await publisher.publish(subjectOf(job.tenantId), data, publishId(job, inHand.group));
    metrics.published(result.ok ? (result.duplicate ? 'duplicate' : 'stored') : result.why);
    this.#inFlight -= 1;
    this.#somethingAcked.wake();
    if (kind === 'status') inHand.statusJobs.push({ jobGroup, routeId: job.routeId });
    if (!result.ok) {
      const refusal = refusalOf(result);
      if (refusal === undefined) inHand.isUnknown = true;
      else
        inHand.failed.push({
          jobGroup,
          ...keyOf(job),
          ...refusal,
          kept: this.#options.room.take(job.tenantId),
        });
    }
    this.#settleOne(inHand);
  }

  #settleOne(inHand: InHand): void {
    inHand.open -= 1;
    if (inHand.open > 0) return;
    this.#inHand -= inHand.group.size;
    if (inHand.isUnknown) return;
    this.#finished.push(inHand);
    this.#finished = this.#finished.slice(-relayDefaults.maxFinished);
  }

  async #closeAll(): Promise<void> {
    let failures = 0;
    for (;;) {
      const isLast = this.#isStopped;
      failures = await this.#closeFinished(failures);
      if (isLast) return;
      const { closeEveryMs, closeEveryBusyMs, retry } = relayDefaults;
      const everyMs = this.#options.isBusy() ? closeEveryBusyMs : closeEveryMs;
      const delayMs = failures === 0 ? everyMs : backoffMs(failures - 1, retry, this.#options.random);
      await this.#somethingFinished.wait(delayMs);
    }
  }

  /** @returns how many attempts have failed in a row */
  async #closeFinished(failures: number): Promise<number> {
    const batch = this.#finished;
    if (batch.length === 0) return failures;
    this.#finished = [];
    try {
      await this.#options.close({
        groups: batch.map(({ group }) => group.jobGroup),
        failed: batch.flatMap(({ failed }) => failed),
        statusJobs: batch.flatMap(({ statusJobs }) => statusJobs),
      });
      return 0;
    } catch (error) {
      if (failures === 0)
        this.#options.log.warn(
          { event: 'outbox_not_closed', groups: batch.length, error: String(error) },
          'what ROUTES has acknowledged could not be taken out of the outbox: trying again',
        );
      this.#finished = [...batch, ...this.#finished].slice(-relayDefaults.maxFinished);
      return failures + 1;
    }
  }
}

/** So that a wait is followed by a few jobs at once. */
const paceMs = 20;
