import { withDeadline } from '../../lib/deadline.ts';

/** How long a drain waits for each of the things that a frozen server could hold up for ever. */
const goodbyeMs = 1_000;

/** A frozen server answers no goodbye; the end of the process ends its connections as well. */
export function soon(goodbye: Promise<unknown>): Promise<unknown> {
  return withDeadline(goodbye, goodbyeMs, () => undefined);
}
