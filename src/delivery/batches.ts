import type { PulledMessage } from '../stream/pulled-message.ts';
import type { Job } from './parcel.ts';
import type { BookedRoute } from './route-book.ts';

/** Of a batch's jobs together; a single job may be larger. */
const maxBatchBytes = 1024 * 1024;

export interface CollectedBatch {
  readonly route: BookedRoute;
  readonly jobs: readonly Job[];
  readonly messages: readonly PulledMessage[];
}

interface Open {
  readonly route: BookedRoute;
  readonly jobs: Job[];
  readonly messages: PulledMessage[];
  bytes: number;
  readonly timer: NodeJS.Timeout;
}

/** Collects the jobs of routes that want several in one request. */
export class Batches {
  readonly #onFull: (batch: CollectedBatch) => void;
  readonly #open = new Map<number, Open>();

  /** @param onFull told of each batch when it is full, or its time is over */
  constructor(onFull: (batch: CollectedBatch) => void) {
    this.#onFull = onFull;
  }

  add(
    route: BookedRoute,
    wanted: { maxJobs: number; maxWaitMs: number },
    job: Job,
    message: PulledMessage,
  ): void {
    const { routeId } = route;
    const before = this.#open.get(routeId);
    if (before !== undefined && before.bytes + job.text.length > maxBatchBytes) this.#close(routeId);
    const open = this.#open.get(routeId) ?? this.#begin(route, wanted.maxWaitMs);
    open.jobs.push(job);
    open.messages.push(message);
    open.bytes += job.text.length;
    if (open.jobs.length >= wanted.maxJobs) this.#close(routeId);
  }

  /** Closes all: the process ends, or holds too much. */
  flush(): void {
    for (const routeId of [...this.#open.keys()]) this.#close(routeId);
  }

  #begin(route: BookedRoute, maxWaitMs: number): Open {
    const timer = setTimeout(() => this.#close(route.routeId), maxWaitMs);
    const open: Open = { route, jobs: [], messages: [], bytes: 0, timer };
    this.#open.set(route.routeId, open);
    return open;
  }

  #close(routeId: number): void {
    const open = this.#open.get(routeId);
    if (open === undefined) return;
    clearTimeout(open.timer);
    this.#open.delete(routeId);
    this.#onFull(open);
  }
}
