import type uPlot from 'uplot';
import type { SeriesColumns } from './types.ts';

/** Buckets of one metric, in order of time; what arrives live is folded in. */
export interface SeriesBuffer {
  readonly bucketMs: number;
  readonly t: number[];
  readonly min: number[];
  readonly avg: (number | null)[];
  readonly max: number[];
  readonly count: number[];
}

export function createBuffer(bucketMs: number, columns: SeriesColumns | undefined): SeriesBuffer {
  return {
    bucketMs: Math.max(1, bucketMs),
    t: [...(columns?.t ?? [])],
    min: [...(columns?.min ?? [])],
    avg: [...(columns?.avg ?? [])],
    max: [...(columns?.max ?? [])],
    count: [...(columns?.count ?? [])],
  };
}

export function fold(buffer: SeriesBuffer, timeMs: number, value: number): void {
  const start = Math.floor(timeMs / buffer.bucketMs) * buffer.bucketMs;
  let index = buffer.t.length;
  // Nearly always the last bucket or a new one behind it.
  while (index > 0 && (buffer.t[index - 1] ?? 0) > start) index -= 1;
  if (index > 0 && buffer.t[index - 1] === start) {
    const at = index - 1;
    const count = (buffer.count[at] ?? 0) + 1;
    const avg = buffer.avg[at] ?? value;
    buffer.min[at] = Math.min(buffer.min[at] ?? value, value);
    buffer.max[at] = Math.max(buffer.max[at] ?? value, value);
    buffer.avg[at] = avg + (value - avg) / count;
    buffer.count[at] = count;
    return;
  }
  buffer.t.splice(index, 0, start);
  for (const column of [buffer.min, buffer.avg, buffer.max]) column.splice(index, 0, value);
  buffer.count.splice(index, 0, 1);
}

/** Forgets what has slid out of the picture. */
export function trim(buffer: SeriesBuffer, fromMs: number): void {
  let gone = 0;
  while (gone < buffer.t.length && (buffer.t[gone] ?? 0) < fromMs - buffer.bucketMs) gone += 1;
  if (gone === 0) return;
  for (const column of [buffer.t, buffer.min, buffer.avg, buffer.max, buffer.count]) column.splice(0, gone);
}

/** As uPlot takes it: seconds, min, max, avg. The line breaks where readings are missing. */
export function toPlot(buffer: SeriesBuffer): uPlot.AlignedData {
  const breakMs = longestUnbroken(buffer);
  const [x, min, max, avg]: [number[], (number | null)[], (number | null)[], (number | null)[]] = [
    [],
    [],
    [],
    [],
  ];
  let before: number | undefined;
  for (const [index, t] of buffer.t.entries()) {
    if (before !== undefined && t - before > breakMs) {
      x.push((before + buffer.bucketMs) / 1_000);
      for (const column of [min, max, avg]) column.push(null);
    }
    x.push(t / 1_000);
    min.push(buffer.min[index] ?? null);
    max.push(buffer.max[index] ?? null);
    avg.push(buffer.avg[index] ?? null);
    before = t;
  }
  return [x, min, max, avg];
}

/** Three times the usual distance: a device that reports each minute is whole in a picture of seconds. */
function longestUnbroken({ t, bucketMs }: SeriesBuffer): number {
  const distances = t.slice(1).map((at, index) => at - (t[index] ?? at));
  distances.sort((a, b) => a - b);
  const median = distances[Math.floor(distances.length / 2)] ?? bucketMs;
  return Math.max(3 * median, 2 * bucketMs);
}
