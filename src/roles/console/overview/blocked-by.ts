import type { OverviewSample } from '../../../console/installation-service.ts';
import type { Look } from './look.ts';

type BlockedBy = OverviewSample['blocked_by'];

const doors: ReadonlySet<string> = new Set(['gateway', 'mqtt', 'mqtt-bridge']);
/** Of the stream's limit: what does not fit any more is refused before the last byte is taken. */
const fullShare = 0.999;
const nearlyFullShare = 0.9;

/**
 * What keeps messages from flowing, the first cause first; null: nothing that can be seen from here. One look alone is
 * not believed: an answer may have come a moment too late.
 *
 * @param refusedPerSecond what the doors answered 503
 */
export function blockedBy(before: Look, after: Look, refusedPerSecond: number): BlockedBy {
  const both = (isSo: (look: Look) => boolean) => isSo(before) && isSo(after);
  if (both(({ natsAnswers }) => !natsAnswers)) return 'nats_away';
  if (!before.natsAnswers || !after.natsAnswers) return null;
  if (both(({ stream }) => stream === undefined)) return 'jetstream_away';
  if (both(({ databaseAnswers }) => !databaseAnswers)) return 'database_away';
  if (both(({ roles }) => !roles.some(({ role }) => role === 'worker'))) return 'no_worker';
  if (isFull(after, refusedPerSecond)) return 'stream_full';
  if (both(({ roles }) => !roles.some(({ role }) => doors.has(role)))) return 'no_door';
  return null;
}

function isFull({ stream }: Look, refusedPerSecond: number): boolean {
  if (stream === null || stream === undefined || stream.maxBytes <= 0) return false;
  const share = stream.bytes / stream.maxBytes;
  return share >= fullShare || (share >= nearlyFullShare && refusedPerSecond > 0);
}
