import { doors } from '../load/message.ts';
import type { Fault } from './fault.ts';

const stalledMs = { min: 1_500, max: 3_000 } as const;

/** The workers stand still while more is sent than the stream takes. */
export const fullStream: Fault = {
  name: 'full-stream',
  group: 'full',
  about: 'the workers pause while more comes than the stream can hold',
  needs: ['small stream'],
  doors,
  strike: async ({ stack, random, note }) => {
    const workers = stack.membersOf('worker');
    const forMs = stalledMs.min + random() * (stalledMs.max - stalledMs.min);
    for (const worker of workers) worker.signal('SIGSTOP');
    await Bun.sleep(forMs);
    for (const worker of workers) worker.signal('SIGCONT');
    note(`workers paused for ${Math.round(forMs)} ms`);
  },
};
