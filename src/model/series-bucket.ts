const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Lengths that people read easily, in ms. From 5 minutes on whole multiples of it: roll-ups are of 5 minutes. */
const lengths: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 20, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 20, 30, 45].map((n) => n * minute),
  ...[1, 2, 3, 4, 6, 8, 12].map((n) => n * hour),
];

/** How many buckets a range touches; they are aligned to 1970-01-01 UTC. */
export function bucketsIn(fromMs: number, toMs: number, bucketMs: number): number {
  return toMs <= fromMs ? 0 : Math.floor((toMs - 1) / bucketMs) - Math.floor(fromMs / bucketMs) + 1;
}

/** The shortest of them, or whole days, that cut a range into at most `points` buckets. */
export function bucketFor(fromMs: number, toMs: number, points: number): number {
  const found = lengths.find((length) => bucketsIn(fromMs, toMs, length) <= points);
  if (found !== undefined) return found;
  let days = Math.max(1, Math.floor((toMs - fromMs) / (points * day)));
  while (bucketsIn(fromMs, toMs, days * day) > points) days += 1;
  return days * day;
}
