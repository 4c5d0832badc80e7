import { withDeadline } from '../lib/deadline.ts';
import { createMessageLog, type MessageLog } from '../observe/message-log.ts';
import type { PulledMessage } from '../stream/pulled-message.ts';
import { Batches } from './batches.ts';
import type { Delivery, DeliveryOptions } from './delivery-contract.ts';
import { type Consignment, Dispatcher } from './dispatcher.ts';
import { InHand } from './in-hand.ts';
import { Leases } from './leases.ts';
import type { Outcome } from './outcome.ts';
import { batchParcel, type Job, type Parcel, singleParcel } from './parcel.ts';
import { receiveJobs } from './receiver.ts';
import type { BookedRoute } from './route-book.ts';
import { type Scheduler, startScheduler } from './scheduler.ts';
import { messagesOf, type Origin, type Settlement, type Verdict } from './settlement.ts';
import { Settler } from './settler.ts';
import { tellSettled } from './tell-settled.ts';
import { startTidying } from './tidy.ts';
import { disabled, removed, verdictOf, waitUntried } from './verdict.ts';

export type { Delivery, DeliveryOptions, DeliveryTuning } from './delivery-contract.ts';
export { deliveryDefaults } from './delivery-contract.ts';

/** What a consignment's outcome needs to be settled. */
interface Provenance {
  readonly origin: Origin;
  readonly route: BookedRoute;
}

export function startDelivery(options: DeliveryOptions): Delivery {
  return new Mailroom(options);
}

/**
 * From ROUTES and the schedule to destinations. Invariants:
 * - A message of ROUTES is acknowledged after the commit of what became of its job: delivered, a dead letter, or a row
 *   of the schedule. A row of the schedule goes with the commit of the same.
 * - Nothing waits here for a destination: what finds no room, or whose destination is down, goes to the schedule.
 */
class Mailroom implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #messageLog: MessageLog;
  readonly #inHand = new InHand();
  readonly #dispatcher: Dispatcher<Provenance>;
  readonly #settler: Settler;
  readonly #scheduler: Scheduler;
  readonly #leases: Leases;
  readonly #batches: Batches;
  readonly #tidying: { drain(): Promise<void> };
  readonly #receiving: Promise<void>;
  readonly #timers: NodeJS.Timeout[];
  readonly failed: Promise<never>;

  constructor(options: DeliveryOptions) {
    const { pool, book, shard, log, random, now, tuning, metrics, ackWaitMs } = options;
    this.#options = options;
    this.#messageLog = createMessageLog(log, now);
    this.#dispatcher = new Dispatcher({
      limits: tuning.limits,
      breaker: tuning.breaker,
      onOutcome: (consignment, outcome, durationMs) => this.#tried(consignment, outcome, durationMs),
      onReturned: ({ parcel, origin }) => this.#settle(parcel, origin, waitUntried(parcel)),
      onFree: () => this.#scheduler.roomIsThere(),
      onRecovered: () => this.#scheduler.wake(),
      now,
      random,
    });
    this.#settler = new Settler({
      pool,
      shard,
      log,
      random,
      onSettled: (settled) => this.#settled(settled),
      onGivenBack: (settlements) => this.#forget(settlements),
    });
    this.#leases = new Leases({ ...tuning, pool, log });
    this.#scheduler = startScheduler({
      ...tuning,
      pool,
      book,
      log,
      random,
      room: (route) => this.#dispatcher.room(route.routeId, route.tenantId, route.sender.destination),
      isResting: (route) => this.#isResting(route),
      onLeased: (route, parcel) => {
        this.#leases.hold(parcel);
        this.#dispatch(parcel, { origin: { kind: 'schedule' }, route });
      },
    });
    this.#batches = new Batches(({ route, jobs, messages }) => {
      // Written down before its first attempt: a crash sends the same batch under the same id.
      const parcel = batchParcel(jobs, options.wallClock());
      this.#settle(parcel, { origin: { kind: 'stream', messages }, route }, waitUntried(parcel));
    });
    const onBuried = metrics.deadLettered;
    this.#tidying = startTidying({
      ...tuning.retry,
      pool,
      book,
      shard,
      log,
      onBuried,
      everyMs: tuning.tidyMs,
      maxWaiting: tuning.maxWaiting,
    });
    this.#receiving = receiveJobs({
      ...options,
      inHand: this.#inHand,
      onJob: (job, message) => this.#received(job, message),
      room: () => this.#room(),
    });
    this.#timers = [
      setInterval(() => this.#dispatcher.sweep(tuning.maxQueuedMs), tuning.sweepMs),
      setInterval(() => this.#inHand.extend(), ackWaitMs / 3),
      // While the database is away, what is known goes on.
      setInterval(() => void book.refresh().catch(() => undefined), tuning.routesPollMs),
    ];
    metrics.watch(() => this.current());
    const endless = new Promise<never>(() => undefined);
    const parts = [this.#settler.done, this.#scheduler.done, this.#receiving];
    this.failed = Promise.race(parts.map((part) => part.then(() => endless)));
    this.failed.catch(() => undefined);
  }

  current() {
    const { active: attempting, queued, openBreakers } = this.#dispatcher;
    return { attempting, queued, openBreakers, unsettled: this.#settler.pending };
  }

  down() {
    return this.#dispatcher.down(maxDownTold);
  }

  async drain(): Promise<void> {
    const { puller, tuning, book } = this.#options;
    const stopped = puller.stop();
    await this.#scheduler.drain();
    await stopped;
    await this.#receiving.catch(() => undefined);
    this.#batches.flush();
    const idle = this.#dispatcher.drain();
    await withDeadline(idle, tuning.drainMs, () => undefined);
    await this.#settler.drain(tuning.drainMs);
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#tidying.drain(), this.#leases.drain()]);
    book.drain();
  }

  #room(): Promise<void> {
    const { maxUnsettled, maxHeldBytes } = this.#options.tuning;
    if (this.#inHand.bytes > maxHeldBytes) this.#batches.flush();
    return this.#settler.below(maxUnsettled);
  }

  #received(job: Job, message: PulledMessage): void {
    const { book, wallClock } = this.#options;
    const origin = { kind: 'stream', messages: [message] } as const;
    const parcel = singleParcel(job, wallClock());
    const route = book.get(parcel.routeId);
    if (route === undefined || !route.enabled) {
      const verdict = route === undefined ? removed : disabled;
      this.#settler.add({ parcel, origin, routeName: route?.name, verdict });
      return;
    }
    if (route.batch !== undefined) this.#batches.add(route, route.batch, job, message);
    else this.#dispatch(parcel, { origin, route });
  }

  #dispatch(parcel: Parcel, provenance: Provenance): void {
    const { sender } = provenance.route;
    const isTooMuch = this.#inHand.bytes > this.#options.tuning.maxHeldBytes;
    if (!isTooMuch && this.#dispatcher.offer({ parcel, sender, origin: provenance })) return;
    this.#settle(parcel, provenance, waitUntried(parcel));
  }

  #tried({ parcel, origin }: Consignment<Provenance>, outcome: Outcome, durationMs: number): void {
    const { metrics, wallClock } = this.#options;
    metrics.attempted(outcome.kind, durationMs);
    const [first] = parcel.jobs;
    if (outcome.kind === 'delivered' && parcel.attempts === 0 && first?.content.kind === 'message') {
      metrics.delivered(wallClock() - Date.parse(first.content.arrivedAt));
    }
    if (outcome.kind === 'retry' && outcome.retryAfterMs !== undefined)
      this.#dispatcher.pause(parcel.routeId, outcome.retryAfterMs);
    const { tuning, random } = this.#options;
    const when = { nowMs: wallClock(), retry: tuning.retry, random };
    this.#settle(parcel, origin, verdictOf(parcel, origin.route, outcome, when));
  }

  #settle(parcel: Parcel, { origin, route }: Provenance, verdict: Verdict): void {
    this.#settler.add({ parcel, origin, routeName: route.name, verdict });
  }

  #settled(settled: readonly Settlement[]): void {
    const { metrics } = this.#options;
    for (const settlement of settled) {
      for (const message of messagesOf(settlement)) this.#inHand.settled(message);
      if (settlement.origin.kind === 'schedule') this.#leases.release(settlement.parcel);
      tellSettled(this.#messageLog, settlement);
      const { verdict, parcel } = settlement;
      if (verdict.kind === 'dead') metrics.deadLettered(verdict.reason, parcel.jobs.length);
    }
    if (settled.some((settlement) => this.#mayBeTried(settlement))) this.#scheduler.wake();
    this.#noteDisabled(settled);
  }

  /** Not where the destination is down: for each job of it the whole schedule would be looked at. */
  #mayBeTried({ parcel: { routeId }, verdict }: Settlement): boolean {
    if (verdict.kind !== 'wait' || verdict.dueInMs > 0) return false;
    const route = this.#options.book.get(routeId);
    return route !== undefined && !this.#isResting(route);
  }

  #isResting({ routeId, tenantId, sender }: BookedRoute): boolean {
    return this.#dispatcher.isResting(routeId, tenantId, sender.destination);
  }

  /** Their destinations are gone: what comes for these routes is not tried any more. */
  #noteDisabled(settled: readonly Settlement[]): void {
    const { book, log } = this.#options;
    let anyGone = false;
    for (const { parcel, routeName, verdict } of settled) {
      if (verdict.kind !== 'dead' || verdict.disable === undefined) continue;
      anyGone = true;
      const { tenantId, routeId } = parcel;
      book.disabled(routeId, verdict.disable.version);
      log.warn(
        { event: 'route_disabled', tenantId, routeId, routeName },
        'a destination answered 410: its route is disabled',
      );
    }
    if (anyGone) void book.refresh().catch(() => undefined);
  }

  #forget(settlements: readonly Settlement[]): void {
    for (const settlement of settlements) {
      for (const message of messagesOf(settlement)) this.#inHand.release(message);
      this.#leases.release(settlement.parcel);
    }
  }
}

/** In one answer, which NATS has to take. */
const maxDownTold = 1_000;
