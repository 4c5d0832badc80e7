import { getPriority, setPriority } from 'node:os';

/**
 * Lowers this process's priority to a niceness of 0 (as it is) to 19, never raises it. Where processors are short, doors then
 * answer at once and what they took waits in JetStream a little longer, in larger batches that cost less.
 */
export function standBack(niceness: number): void {
  try {
    if (getPriority() < niceness) setPriority(niceness);
  } catch {
    // A sandbox that forbids it: the role works without.
  }
}
