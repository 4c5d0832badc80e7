import { type Door, doors, pick } from '../load/message.ts';
import type { Fault } from './fault.ts';

/** Away for a moment, or until those who wait for it have given up. */
const away = { shortMs: 400, longShare: 0.3, longMs: 2_500 } as const;

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
    strike: async ({ stack, random, note }) => {
      const member = pick(stack.membersOf(kind), random);
      const awayMs = random() < away.longShare ? away.longMs : random() * away.shortMs;
      note(`${member.name} killed, away for ${Math.round(awayMs)} ms`);
      await member.kill();
      await Bun.sleep(awayMs);
      await member.start();
    },
  };
});
