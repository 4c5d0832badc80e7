import { pick } from '../load/message.ts';
import type { Fault, Need } from './fault.ts';

/** Away for a moment, or until those who wait for it have given up. */
const away = { shortMs: 400, longShare: 0.3, longMs: 2_500 } as const;

const shared: readonly Need[] = ['broker'];
const alone: readonly Need[] = ['broker', 'plain subscription'];

const struck = [
  { kind: 'mqtt-bridge', name: 'bridge-kill-bridge', what: 'a bridge', needs: shared },
  { kind: 'broker', name: 'bridge-kill-broker', what: 'Mosquitto', needs: shared },
  { kind: 'worker', name: 'bridge-kill-worker', what: 'a worker', needs: shared },
  { kind: 'nats', name: 'bridge-kill-nats', what: 'NATS', needs: shared },
  { kind: 'mqtt-bridge', name: 'bridge-alone-kill-bridge', what: 'the one bridge', needs: alone },
  { kind: 'broker', name: 'bridge-alone-kill-broker', what: 'Mosquitto', needs: alone },
] as const;

/** kill -9 while devices publish to a Mosquitto, and bridges take it from there. */
export const bridgeFaults = struck.map(({ kind, name, what, needs }): Fault => {
  const bridges = needs === alone ? 'one bridge with its own subscription' : 'bridges that share one';
  return {
    name,
    group: 'bridge',
    about: `kill -9 of ${what}, with ${bridges}`,
    needs,
    doors: ['mqtt'],
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
