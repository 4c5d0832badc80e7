import { totalmem } from 'node:os';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** PostgreSQL's own default. */
const leastBytes = 128 * MiB;
/** Holds what a million devices change all the time: their state, three sensors each, and the indexes. */
const mostBytes = 2 * GiB;
/** The other roles, NATS and the system's own cache of the same files need the rest. */
const share = 8;

/**
 * `shared_buffers` for a PostgreSQL that has a machine together with all of ours.
 * What is changed often should fit: each page that does not is read and written anew for every few rows.
 *
 * @param memoryBytes that all processes may use together
 * @returns in PostgreSQL's spelling
 */
export function sharedBuffersFor(memoryBytes: number): string {
  const bytes = Math.min(mostBytes, Math.max(leastBytes, memoryBytes / share));
  return `${Math.floor(bytes / MiB)}MB`;
}

/** What all processes here may use together: the machine's memory, or the container's where it has less. */
export function memoryHere(): number {
  // 0 where nothing is known of a limit.
  const limitBytes = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(totalmem(), limitBytes);
}
