import type { RouteRule } from '../../model/route.ts';
import type { Reading } from '../../model/verdict.ts';
import type { DeadLetterRoom } from './dead-letter-room.ts';
import { overCap, type RouteCaps } from './route-caps.ts';
import type { Matches } from './route-index.ts';
import type { RouteMatcher } from './route-matcher.ts';

/** What becomes of one message's jobs. */
export interface Decision {
  readonly routeIds: readonly number[];
  /** To be dead letters. */
  readonly refused: readonly { readonly routeId: number; readonly detail: string }[];
  /** Refused, and counted only: there is no room for another dead letter. */
  readonly dropped: readonly RouteRule[];
  readonly failed: readonly RouteRule[];
}

/** Where a decision is kept, with the judging that it is of. */
export interface Decided {
  /** Absent: not asked yet, or nothing is owed. */
  routed?: Decision & { readonly reading: Reading };
}

export interface DecideOptions {
  readonly matcher: Pick<RouteMatcher, 'matchReading'>;
  readonly caps: Pick<RouteCaps, 'takeEach'>;
  readonly room: DeadLetterRoom;
  /** Whether so much is owed already that new jobs are refused. */
  readonly isFull: () => boolean;
}

/**
 * Decided once for all attempts at a transaction: one that is tried again does not take from the caps again. A route
 * that changed in between counts from the next message on.
 */
export function decide(entry: Decided, reading: Reading, options: DecideOptions): Decision | undefined {
  const matches = options.matcher.matchReading(reading);
  if (matches === undefined || matches.matched.length + matches.failed.length === 0) return undefined;
  if (entry.routed?.reading !== reading) entry.routed = { reading, ...decideOn(matches, reading, options) };
  return entry.routed;
}

function decideOn(
  { matched, failed }: Matches,
  { tenantId, arrivedAtMs }: Reading,
  { caps, room, isFull }: DecideOptions,
): Decision {
  const full = isFull();
  const { within, over } = full ? { within: [], over: matched } : caps.takeEach(matched, arrivedAtMs);
  const refused: Decision['refused'][number][] = [];
  for (const route of over) {
    if (!room.take(tenantId)) break;
    refused.push({ routeId: route.routeId, detail: full ? tooMuchOwed : overCap(route) });
  }
  return {
    routeIds: within.map(({ routeId }) => routeId),
    refused,
    dropped: refused.length === 0 ? over : over.slice(refused.length),
    failed,
  };
}

const tooMuchOwed = 'too many jobs wait to be published to ROUTES';
