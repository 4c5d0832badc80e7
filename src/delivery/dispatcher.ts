import { Breaker, type BreakerOptions, type Ticket } from './breaker.ts';
import type { Outcome } from './outcome.ts';
import type { Parcel } from './parcel.ts';
import type { Sender } from './sender.ts';
import { Turns } from './turns.ts';

export interface DispatcherLimits {
  /** Attempts under way at once, of one route. */
  readonly perRoute: number;
  /** Of all routes of a tenant that go to one place. */
  readonly perDestination: number;
  /** Of this process. */
  readonly total: number;
  /** Parcels of a route that wait in memory for their turn. */
  readonly queuedPerRoute: number;
  /** Of this process. */
  readonly queuedTotal: number;
}

export const dispatcherDefaults: DispatcherLimits = {
  perRoute: 16,
  perDestination: 32,
  total: 512,
  queuedPerRoute: 128,
  queuedTotal: 4_096,
};

/** A parcel in the dispatcher's hands. `T` is what its owner needs to settle it. */
export interface Consignment<T> {
  readonly parcel: Parcel;
  readonly sender: Sender;
  readonly origin: T;
}

export interface DispatcherOptions<T> {
  readonly limits: DispatcherLimits;
  readonly breaker: BreakerOptions;
  /** After each attempt. */
  readonly onOutcome: (consignment: Consignment<T>, outcome: Outcome, durationMs: number) => void;
  /** Waited too long, or its destination is down: not tried, and handed back. */
  readonly onReturned: (consignment: Consignment<T>) => void;
  /** A slot is free again. */
  readonly onFree?: () => void;
  /** A destination that was down has answered. */
  readonly onRecovered?: () => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** A destination that is left alone. */
export interface DownPlace {
  readonly tenantId: string;
  /** See `placeOf`. */
  readonly place: string;
  /** Failures in a row. */
  readonly failures: number;
  /** Until the next probe; 0: it may begin, or is under way. */
  readonly forMs: number;
}

interface Place {
  readonly tenantId: string;
  readonly name: string;
  readonly breaker: Breaker;
  active: number;
}

interface Lane<T> {
  readonly tenantId: string;
  readonly place: Place;
  active: number;
  readonly queue: { readonly consignment: Consignment<T>; readonly sinceMs: number }[];
  /** The destination asked to be left alone until then. */
  pausedUntilMs: number;
}

/**
 * Who is tried when. Each route has a lane of its own with a bounded queue and bounded attempts, and each destination of
 * a tenant a breaker: one that hangs takes up its own slots and nobody else's. Where the process's own limit is reached,
 * tenants take turns, and within a tenant its routes.
 */
export class Dispatcher<T> {
  readonly #options: DispatcherOptions<T>;
  readonly #places = new Map<string, Place>();
  readonly #lanes = new Map<number, Lane<T>>();
  readonly #turns = new Turns<Lane<T>>();
  #active = 0;
  #queued = 0;
  #stopped = false;
  readonly #idle = new Set<() => void>();

  constructor(options: DispatcherOptions<T>) {
    this.#options = options;
  }

  get active(): number {
    return this.#active;
  }

  get queued(): number {
    return this.#queued;
  }

  get openBreakers(): number {
    return [...this.#places.values()].filter(({ breaker }) => breaker.isOpen).length;
  }

  /** At most `max` of those whose breaker is open. */
  down(max: number): DownPlace[] {
    const now = this.#options.now();
    const open = [...this.#places.values()].filter(({ breaker }) => breaker.isOpen).slice(0, max);
    return open.map(({ tenantId, name: place, breaker }) => ({
      tenantId,
      place,
      failures: breaker.failures,
      forMs: Math.max(0, Math.round((breaker.openUntilMs ?? now) - now)),
    }));
  }

  /** Takes the parcel when there is room for it now; false: it is to wait in the schedule. */
  offer(consignment: Consignment<T>): boolean {
    const { parcel, sender } = consignment;
    if (this.room(parcel.routeId, parcel.tenantId, sender.destination) < 1) return false;
    const lane = this.#laneOf(parcel.routeId, parcel.tenantId, sender.destination);
    lane.queue.push({ consignment, sinceMs: this.#options.now() });
    this.#queued += 1;
    this.#start();
    return true;
  }

  /** How many parcels of the route there is room for. */
  room(routeId: number, tenantId: string, destination: string): number {
    const { limits } = this.#options;
    if (this.#stopped) return 0;
    const lane = this.#lanes.get(routeId);
    const queued = lane?.queue.length ?? 0;
    const permits = this.#permits(routeId, tenantId, destination);
    // Half open: one, whoever comes first; what others hold in their queues is handed back when it fails.
    if (permits !== Number.POSITIVE_INFINITY) return Math.max(0, permits - queued);
    const own = limits.perRoute + limits.queuedPerRoute - (lane?.active ?? 0) - queued;
    return Math.max(0, Math.min(own, limits.queuedTotal - this.#queued));
  }

  /** Whether the route's destination is down, or has asked to be left alone: no free slot changes that. */
  isResting(routeId: number, tenantId: string, destination: string): boolean {
    return this.#permits(routeId, tenantId, destination) === 0;
  }

  /** Nothing of the route is tried for so long. */
  pause(routeId: number, forMs: number): void {
    const lane = this.#lanes.get(routeId);
    if (lane === undefined) return;
    lane.pausedUntilMs = Math.max(lane.pausedUntilMs, this.#options.now() + forMs);
    this.#returnQueue(lane);
  }

  /** To be called about every second: hands back what has waited too long, and forgets lanes that are empty. */
  sweep(maxWaitMs: number): void {
    const now = this.#options.now();
    for (const [routeId, lane] of this.#lanes) {
      const isOld = (since: number) => now - since > maxWaitMs;
      while (lane.queue[0] !== undefined && isOld(lane.queue[0].sinceMs)) this.#returnFirst(lane);
      if (lane.active === 0 && lane.queue.length === 0 && lane.pausedUntilMs <= now)
        this.#forget(routeId, lane);
    }
    const used = new Set([...this.#lanes.values()].map(({ place }) => place));
    for (const [key, place] of this.#places) {
      if (!place.breaker.isOpen && !used.has(place)) this.#places.delete(key);
    }
  }

  /** Begins nothing more and hands back what waits. Resolves when every attempt has ended. */
  async drain(): Promise<void> {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) this.#returnQueue(lane);
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  /** How many attempts the destination allows now, wherever there is room for them. */
  #permits(routeId: number, tenantId: string, destination: string): number {
    const now = this.#options.now();
    if ((this.#lanes.get(routeId)?.pausedUntilMs ?? 0) > now) return 0;
    return (
      this.#places.get(placeKey(tenantId, destination))?.breaker.permits(now) ?? Number.POSITIVE_INFINITY
    );
  }

  #laneOf(routeId: number, tenantId: string, destination: string): Lane<T> {
    const known = this.#lanes.get(routeId);
    const key = placeKey(tenantId, destination);
    const place = this.#places.get(key) ?? {
      tenantId,
      name: destination,
      breaker: new Breaker(this.#options.breaker, this.#options.random),
      active: 0,
    };
    this.#places.set(key, place);
    // Its destination may have been changed: what is under way still counts for the old one.
    if (known !== undefined && known.place === place) return known;
    const lane: Lane<T> = { tenantId, place, active: 0, queue: [], pausedUntilMs: 0 };
    if (known !== undefined) {
      this.#returnQueue(known);
      this.#forget(routeId, known);
    }
    this.#lanes.set(routeId, lane);
    this.#turns.add(lane);
    return lane;
  }

  #forget(routeId: number, lane: Lane<T>): void {
    this.#lanes.delete(routeId);
    this.#turns.delete(lane);
  }

  #mayStart(lane: Lane<T>): boolean {
    const { limits, now } = this.#options;
    return (
      lane.queue.length > 0 &&
      lane.active < limits.perRoute &&
      lane.place.active < limits.perDestination &&
      lane.place.breaker.permits(now()) > 0
    );
  }

  #start(): void {
    while (this.#active < this.#options.limits.total && !this.#stopped) {
      const next = this.#turns.next((lane) => this.#mayStart(lane));
      if (next === undefined) return;
      this.#begin(next);
    }
  }

  #begin(lane: Lane<T>): void {
    const next = lane.queue.shift();
    if (next === undefined) return;
    this.#queued -= 1;
    this.#active += 1;
    lane.active += 1;
    lane.place.active += 1;
    const ticket = lane.place.breaker.begin();
    const startedMs = this.#options.now();
    void next.consignment.sender.send(next.consignment.parcel).then((outcome) => {
      this.#active -= 1;
      lane.active -= 1;
      lane.place.active -= 1;
      this.#ended(lane, ticket, outcome);
      this.#options.onOutcome(next.consignment, outcome, this.#options.now() - startedMs);
      this.#start();
      if (this.#active === 0) for (const resolve of this.#idle) resolve();
      this.#options.onFree?.();
    });
  }

  #ended(lane: Lane<T>, ticket: Ticket, outcome: Outcome): void {
    const { breaker } = lane.place;
    const wasOpen = breaker.isOpen;
    if (outcome.kind === 'retry' && outcome.unwell) breaker.failed(ticket, this.#options.now());
    else breaker.succeeded();
    if (!breaker.isOpen) {
      if (wasOpen) this.#options.onRecovered?.();
      return;
    }
    for (const each of this.#lanes.values()) if (each.place === lane.place) this.#returnQueue(each);
  }

  #returnQueue(lane: Lane<T>): void {
    while (lane.queue.length > 0) this.#returnFirst(lane);
  }

  #returnFirst(lane: Lane<T>): void {
    const first = lane.queue.shift();
    if (first === undefined) return;
    this.#queued -= 1;
    this.#options.onReturned(first.consignment);
  }
}

function placeKey(tenantId: string, destination: string): string {
  return `${tenantId} ${destination}`;
}
