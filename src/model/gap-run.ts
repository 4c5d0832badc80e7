/** A message of one device that carries a `seq`. Times in µs since the epoch. */
export interface Numbered {
  readonly seq: number;
  readonly timeUs: number;
  readonly arrivedUs: number;
}

/** Numbers that no message carried, and the messages on both sides of them. */
export interface MissingRange {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly afterUs: number;
  readonly beforeUs: number;
}

/** What a device numbered without beginning again. */
export interface Run {
  readonly first: number;
  /** The highest number. */
  readonly last: number;
  readonly firstTimeUs: number;
  readonly received: number;
  readonly late: number;
  readonly repeated: number;
  /** `settle` is told the missing ranges that are too many to be kept open. */
  add(message: Numbered, settle: (range: MissingRange) => void): 'added' | 'fell back';
  /** Takes the messages of another run as its own: numbers that it lacks came late, the others are repeated. */
  absorb(other: Run): void;
  /** What it lacks, in order. */
  missing(): readonly MissingRange[];
}

interface RunOptions {
  readonly maxOpen: number;
  readonly farBack: number;
}

export function createRun(begin: Numbered, { maxOpen, farBack }: RunOptions): Run {
  const { seq: first, timeUs: firstTimeUs } = begin;
  let [last, lastTimeUs] = [first, firstTimeUs];
  let [received, late, repeated] = [1, 0, 0];
  let open: MissingRange[] = [];

  function extend({ seq, timeUs }: Numbered, settle: (range: MissingRange) => void): void {
    if (seq > last + 1) open.push(rangeOf(last + 1, seq - 1, lastTimeUs, timeUs));
    [last, lastTimeUs] = [seq, timeUs];
    if (open.length < 2 * maxOpen) return;
    for (const range of open.slice(0, -maxOpen)) settle(range);
    open = open.slice(-maxOpen);
  }

  /** Takes `from` … `to` out of what is missing. @returns how many numbers that were. */
  function fill(from: number, to: number): number {
    const start = firstThatReaches(open, from);
    let end = start;
    let filled = 0;
    const left: MissingRange[] = [];
    for (let range = open[end]; range !== undefined && range.first <= to; range = open[end]) {
      if (range.first < from) left.push(rangeOf(range.first, from - 1, range.afterUs, range.beforeUs));
      if (range.last > to) left.push(rangeOf(to + 1, range.last, range.afterUs, range.beforeUs));
      filled += Math.min(range.last, to) - Math.max(range.first, from) + 1;
      end += 1;
    }
    open.splice(start, end - start, ...left);
    return filled;
  }

  return {
    first,
    firstTimeUs,
    get last() {
      return last;
    },
    get received() {
      return received;
    },
    get late() {
      return late;
    },
    get repeated() {
      return repeated;
    },
    add: (message, settle) => {
      const { seq } = message;
      if (seq > last) extend(message, settle);
      else if (last - seq <= farBack && fill(seq, seq) === 1) late += 1;
      else return 'fell back';
      received += 1;
      return 'added';
    },
    absorb: (other) => {
      let filled = 0;
      let from = other.first;
      for (const range of other.missing()) {
        filled += fill(from, range.first - 1);
        from = range.last + 1;
      }
      filled += fill(from, other.last);
      received += other.received;
      late += filled;
      repeated += other.received - filled;
    },
    missing: () => open,
  };
}

function rangeOf(first: number, last: number, afterUs: number, beforeUs: number): MissingRange {
  return { first, last, count: last - first + 1, afterUs, beforeUs };
}

/** The index of the first range that ends at `seq` or above; ranges are in order. */
function firstThatReaches(ranges: readonly MissingRange[], seq: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.last ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
