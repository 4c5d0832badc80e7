import { formatCount, formatRate } from './number.ts';

/** `5,000/s, burst 20,000`; parts that are not set come from the level above: `default`. */
export function describeLimit(ratePerSecond: number | undefined, burst: number | undefined): string {
  if (ratePerSecond === undefined && burst === undefined) return 'default';
  const rate = ratePerSecond === undefined ? 'default rate' : `${formatRate(ratePerSecond)}/s`;
  return burst === undefined ? rate : `${rate}, burst ${formatCount(burst)}`;
}
