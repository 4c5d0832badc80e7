import type { Fault, Need } from './fault.ts';
import { killOne } from './kill-one.ts';

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
    strike: (context) => killOne(kind, context),
  };
});
