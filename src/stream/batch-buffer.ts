/**
 * Gathers items into batches: `next()` gives a full batch as soon as there is one, and a smaller one when the
 * oldest item has waited for `lingerMs`. Several may wait at once; they are served in turn. A batch is full with
 * `batchSize` items, or with as many as `maxBatchBytes` hold; one alone may be larger.
 */
export class BatchBuffer<T> {
  readonly #batchSize: number;
  readonly #lingerMs: number;
  readonly #clock: () => number;
  readonly #onTaken: () => void;
  readonly #maxBatchBytes: number;
  readonly #bytesOf: (item: T) => number;
  #bytes = 0;
  #items: T[] = [];
  #waiters: ((batch: T[] | undefined) => void)[] = [];
  /** Since when the oldest item waits, at the latest. */
  #oldestAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: {
    batchSize: number;
    maxBatchBytes: number;
    bytesOf: (item: T) => number;
    lingerMs: number;
    clock: () => number;
    onTaken: () => void;
  }) {
    this.#maxBatchBytes = options.maxBatchBytes;
    this.#bytesOf = options.bytesOf;
    this.#batchSize = options.batchSize;
    this.#lingerMs = options.lingerMs;
    this.#clock = options.clock;
    this.#onTaken = options.onTaken;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Of all items that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  items(): readonly T[] {
    return this.#items;
  }

  push(item: T): void {
    this.#bytes += this.#bytesOf(item);
    if (this.#items.push(item) === 1) this.#oldestAtMs = this.#clock();
    this.#serve();
  }

  next(): Promise<T[] | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#serve();
    });
  }

  /** Whoever waits gets undefined; returns what was left. */
  close(): T[] {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const resolve of this.#waiters.splice(0)) resolve(undefined);
    this.#bytes = 0;
    return this.#items.splice(0);
  }

  #serve(): void {
    while (this.#waiters.length > 0 && this.#isFull()) this.#give();
    if (this.#waiters.length === 0 || this.#items.length === 0 || this.#timer !== undefined) return;
    const waitMs = Math.max(0, this.#oldestAtMs + this.#lingerMs - this.#clock());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiters.length > 0 && this.#items.length > 0) this.#give();
      this.#serve();
    }, waitMs);
  }

  #give(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#takeBatch();
    this.#oldestAtMs = this.#clock();
    this.#waiters.shift()?.(batch);
    this.#onTaken();
  }

  #isFull(): boolean {
    return this.#items.length >= this.#batchSize || this.#bytes >= this.#maxBatchBytes;
  }

  #takeBatch(): T[] {
    let count = 0;
    let bytes = 0;
    for (const item of this.#items) {
      const itemBytes = this.#bytesOf(item);
      if (count === this.#batchSize || (count > 0 && bytes + itemBytes > this.#maxBatchBytes)) break;
      count += 1;
      bytes += itemBytes;
    }
    this.#bytes -= bytes;
    return this.#items.splice(0, count);
  }
}
