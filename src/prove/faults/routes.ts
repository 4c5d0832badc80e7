import { type Door, doors } from '../load/message.ts';
import type { Fault } from './fault.ts';
import { killOne } from './kill-one.ts';

const struck: readonly {
  readonly kind: 'delivery' | 'worker' | 'nats';
  readonly what: string;
  readonly doors: readonly Door[];
}[] = [
  { kind: 'delivery', what: 'a delivery process', doors: [] },
  { kind: 'worker', what: 'a worker', doors },
  { kind: 'nats', what: 'NATS', doors },
];

/** kill -9 while routes deliver to a receiver of webhooks. */
export const routeFaults = struck.map(({ kind, what, doors: shut }): Fault => {
  return {
    name: `routes-kill-${kind}`,
    group: 'routes',
    about: `kill -9 of ${what} while routes deliver`,
    needs: ['routes'],
    doors: shut,
    strike: (context) => killOne(kind, context),
  };
});
