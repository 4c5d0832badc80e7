import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

/** What a role is given from outside; the defaults are the real ones. */
export interface RoleDeps {
  readonly log?: Logger;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock?: () => number;
  /** 0 ≤ x < 1. */
  readonly random?: () => number;
  /** Aborted: break off a start that is under way. One that is complete is drained instead. */
  readonly stop?: AbortSignal;
}

/** What a role hands on to its parts. */
export interface RoleInstruments extends Required<Omit<RoleDeps, 'stop'>> {
  readonly metrics: Registry;
}
