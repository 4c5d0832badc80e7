import type { LimitDeltas } from './rate-limiter.ts';

/** What one worker tells the others: `{"worker_id":"…","counts":[["d|4000|441806400|t1/d1",3],…]}`. */
export interface LimitCounts {
  readonly workerId: string;
  readonly counts: LimitDeltas;
}

/** A key is at most some 240 characters, so one message stays below 128 KiB. */
const maxCountsPerMessage = 500;
const maxKeyLength = 300;

/** As many messages as it takes; none when there is nothing to tell. */
export function encodeLimitCounts(workerId: string, counts: LimitDeltas): string[] {
  const messages: string[] = [];
  for (let from = 0; from < counts.length; from += maxCountsPerMessage) {
    const part = counts.slice(from, from + maxCountsPerMessage);
    messages.push(JSON.stringify({ worker_id: workerId, counts: part }));
  }
  return messages;
}

/** What every message of this worker's begins with. */
export function ownBeginning(workerId: string): Buffer {
  return Buffer.from(`${JSON.stringify({ worker_id: workerId }).slice(0, -1)},`);
}

/** `undefined` for anything that a worker would not have written. Never throws. */
export function parseLimitCounts(data: Uint8Array): LimitCounts | undefined {
  let message: unknown;
  try {
    message = JSON.parse(Buffer.from(data).toString());
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null) return undefined;
  const { worker_id: workerId, counts } = message as Record<string, unknown>;
  if (typeof workerId !== 'string' || !Array.isArray(counts) || !counts.every(isCount)) return undefined;
  return { workerId, counts };
}

function isCount(value: unknown): value is readonly [string, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [key, count] = value as unknown[];
  return (
    typeof key === 'string' &&
    key.length <= maxKeyLength &&
    /^[dt]\|/.test(key) &&
    Number.isSafeInteger(count) &&
    Number(count) > 0
  );
}
