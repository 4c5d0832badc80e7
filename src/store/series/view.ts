import { isoMicroseconds } from '../../lib/iso-microseconds.ts';
import type { DeviceGaps } from './find-gaps.ts';
import type { DeviceRange } from './select-numbers.ts';

/** In the words of the tables, as the command line and the API show it. */
export function gapsAsJson({ fromMs, toMs }: DeviceRange, gaps: DeviceGaps) {
  return {
    from: isoMicroseconds(fromMs * 1_000),
    to: isoMicroseconds(toMs * 1_000),
    received: gaps.received,
    unnumbered: gaps.unnumbered,
    missing: gaps.missing,
    late: gaps.late,
    repeated: gaps.repeated,
    first_seq: gaps.firstSeq ?? null,
    last_seq: gaps.lastSeq ?? null,
    ranges: gaps.ranges.map(({ first, last, count, afterUs, beforeUs }) => ({
      first,
      last,
      count,
      after_time: isoMicroseconds(afterUs),
      before_time: isoMicroseconds(beforeUs),
    })),
    restarts: gaps.restarts.map(({ timeUs, fromSeq, toSeq }) => ({
      time: isoMicroseconds(timeUs),
      from_seq: fromSeq,
      to_seq: toSeq,
    })),
    truncated: gaps.truncated,
  };
}
