export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Ceiling of the first pause. */
  readonly baseMs: number;
  /** Ceiling of every pause. */
  readonly maxMs: number;
}

export const breakerDefaults: BreakerOptions = { failures: 5, baseMs: 1_000, maxMs: 60_000 };

export type Ticket = 'ordinary' | 'probe';

/**
 * Closed: everything passes. Open, after failures in a row: nothing passes for a pause. Then one probe does: its success
 * closes, its failure makes the pause longer.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #random: () => number;
  #failures = 0;
  #pauses = 0;
  #openUntilMs: number | undefined;
  #probing = false;

  constructor(options: BreakerOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  get isOpen(): boolean {
    return this.#openUntilMs !== undefined;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Until when nothing passes; undefined: it is closed. */
  get openUntilMs(): number | undefined {
    return this.#openUntilMs;
  }

  /** How many attempts may begin now. */
  permits(nowMs: number): number {
    if (this.#openUntilMs === undefined) return Number.POSITIVE_INFINITY;
    return nowMs >= this.#openUntilMs && !this.#probing ? 1 : 0;
  }

  /** An attempt begins, which `permits` allowed. */
  begin(): Ticket {
    if (this.#openUntilMs === undefined) return 'ordinary';
    this.#probing = true;
    return 'probe';
  }

  /** The destination answered, be it with a no. */
  succeeded(): void {
    this.#failures = 0;
    this.#pauses = 0;
    this.#openUntilMs = undefined;
    this.#probing = false;
  }

  failed(ticket: Ticket, nowMs: number): void {
    this.#failures += 1;
    if (ticket === 'probe') this.#probing = false;
    // What began before it opened says nothing new.
    else if (this.#openUntilMs !== undefined || this.#failures < this.#options.failures) return;
    const ceiling = Math.min(this.#options.maxMs, this.#options.baseMs * 2 ** Math.min(this.#pauses, 40));
    this.#pauses += 1;
    this.#openUntilMs = nowMs + ceiling / 2 + (this.#random() * ceiling) / 2;
  }
}
