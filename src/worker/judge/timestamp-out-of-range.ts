import { isOutOfRange } from '../../model/timestamp.ts';
import { isoTime } from '../iso-time.ts';
import type { Draft, FormLimits } from './draft.ts';
import { shown } from './shown.ts';

export function timestampOutOfRange(draft: Draft, limits: FormLimits): string | undefined {
  const { payload, time, token, arrivedAtMs } = draft;
  if (!time.ok || !isOutOfRange(time.timeUs / 1000, arrivedAtMs, limits)) return undefined;
  const [bound, limitMs] =
    time.timeUs / 1000 > arrivedAtMs ? ['ahead of', limits.maxAheadMs] : ['before', limits.retentionMs];
  return (
    `The ts ${shown(payload.ts, token)} lies more than ${spanOf(limitMs)} ${bound} ` +
    `its arrival at ${isoTime(arrivedAtMs)}.`
  );
}

function spanOf(ms: number): string {
  const days = ms / 86_400_000;
  return days >= 2 ? `${days} days` : `${ms / 3_600_000} h`;
}
