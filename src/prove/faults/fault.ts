import type { Door } from '../load/message.ts';
import type { Stack } from '../stack/stack.ts';

/** What a fault needs of the stack. */
export type Need =
  | 'proxies'
  | 'small stream'
  | 'small disks'
  | 'faked clocks'
  | 'routes'
  | 'broker'
  | 'plain subscription'
  | 'cluster';

export interface FaultContext {
  readonly stack: Stack;
  readonly random: () => number;
  /** The fault strikes now, not when it was asked to: it had to look first. */
  readonly strikesNow: () => void;
  /** The stream has another leader, so long after the strike. */
  readonly elected: (afterMs: number) => void;
  /** What was done, for the report; and what ought not to have happened. */
  readonly note: (what: string) => void;
  readonly complain: (what: string) => void;
}

export interface Fault {
  /** `kill-gateway` */
  readonly name: string;
  readonly group:
    | 'kill'
    | 'pause'
    | 'restart'
    | 'network'
    | 'full'
    | 'disk'
    | 'clock-step'
    | 'routes'
    | 'bridge'
    | 'cluster';
  readonly about: string;
  readonly needs: readonly Need[];
  /** Doors that it shuts, for the time to the first yes after it. */
  readonly doors: readonly Door[];
  /** Strikes, and heals what does not heal by itself; resolves then. */
  strike(context: FaultContext): Promise<void>;
}
