import { Histogram } from '../measure/histogram.ts';
import type { LoadEvent, LoadResult } from './load-spec.ts';
import type { Sent } from './open-loop.ts';

const keptFailures = 5;

/**
 * Counts what belongs to the measured time, and tells the parent when that begins and ends. With an open pace that is
 * what fell due in it, however late the answer: else a stall at the end would be cut off.
 */
export class Recorder {
  readonly #latency = new Histogram();
  readonly #lateness = new Histogram();
  readonly #failures = new Set<string>();
  readonly #emit: (event: LoadEvent) => void;
  #measuring = false;
  readonly #interval = { accepted: 0, failed: 0, latency: new Histogram() };
  #ticking: ReturnType<typeof setInterval> | undefined;
  #accepted = 0;
  #failed = 0;
  #startedAtMs = Number.POSITIVE_INFINITY;
  #stoppedAtMs = Number.POSITIVE_INFINITY;
  #startedCpuUs = 0;
  #elapsedMs = 0;
  #cpuUs = 0;

  constructor(emit: (event: LoadEvent) => void) {
    this.#emit = emit;
  }

  /** @param atMs when it counts: when it fell due, or was answered */
  answered(latencyMs: number, { accepted, failed }: Sent, atMs: number): void {
    if (atMs < this.#startedAtMs || atMs >= this.#stoppedAtMs) return;
    this.#accepted += accepted;
    this.#failed += failed;
    this.#latency.record(latencyMs);
    this.#interval.accepted += accepted;
    this.#interval.failed += failed;
    this.#interval.latency.record(latencyMs);
  }

  sent(lateMs: number): void {
    if (this.#measuring) this.#lateness.record(lateMs);
  }

  failure(words: string): void {
    if (this.#failures.size < keptFailures) this.#failures.add(words);
  }

  start(): void {
    this.#measuring = true;
    this.#startedAtMs = performance.now();
    this.#startedCpuUs = ownCpuUs();
    this.#emit({ event: 'measuring' });
  }

  stop(): void {
    if (!this.#measuring) return;
    this.#measuring = false;
    clearInterval(this.#ticking);
    this.#stoppedAtMs = performance.now();
    this.#elapsedMs = this.#stoppedAtMs - this.#startedAtMs;
    this.#cpuUs = ownCpuUs() - this.#startedCpuUs;
    this.#emit({ event: 'measured' });
  }

  /** Tells what was answered in each such time, from `start` on. */
  tellEvery(intervalMs: number): void {
    this.#ticking = setInterval(() => {
      if (!this.#measuring) return;
      const { accepted, failed, latency } = this.#interval;
      this.#emit({ event: 'interval', interval: { accepted, failed, latency: latency.summary() } });
      this.#interval.accepted = 0;
      this.#interval.failed = 0;
      latency.clear();
    }, intervalMs);
  }

  result(openAtEnd: number): LoadResult {
    return {
      accepted: this.#accepted,
      failed: this.#failed,
      acceptedPerSecond: (this.#accepted * 1_000) / this.#elapsedMs,
      elapsedMs: this.#elapsedMs,
      latency: this.#latency.summary(),
      lateness: this.#lateness.summary(),
      openAtEnd,
      loadCpuShare: this.#cpuUs / 1_000 / this.#elapsedMs,
      failures: [...this.#failures],
    };
  }
}

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
