import { doors } from '../load/message.ts';
import type { Fault } from './fault.ts';

const fullMs = { min: 1_000, max: 4_000 } as const;
const startAgainMs = 30_000;

/**
 * The disk of a server is full for a while. The server may end by itself, or go on without storing anything (JetStream of
 * some versions turns itself off): when there is room again it is started anew, as an operator would.
 */
export const fullDisks = (['nats', 'postgres'] as const).map((kind): Fault => {
  return {
    name: `full-disk-${kind}`,
    group: 'disk',
    about: `the disk of ${kind === 'nats' ? 'NATS' : 'PostgreSQL'} fills (a tmpfs; Linux, as root)`,
    needs: ['small disks'],
    doors,
    strike: async ({ stack, random, note, complain }) => {
      const disk = stack.disks?.[kind];
      const [member] = stack.membersOf(kind);
      if (disk === undefined || member === undefined) throw new Error('the stack has no small disks');
      const forMs = fullMs.min + random() * (fullMs.max - fullMs.min);
      await disk.fill();
      await Bun.sleep(forMs);
      disk.free();
      note(`disk of ${kind} full for ${Math.round(forMs)} ms`);
      const expected = `${member.name} ended by itself`;
      for (const crash of stack.takeCrashes()) (crash.startsWith(expected) ? note : complain)(crash);
      // A NATS whose JetStream is off does not end when asked to.
      await member.kill();
      await untilStarted(() => member.start());
    },
  };
});

/** It may still be on its way down from the attempts that failed for want of room. */
async function untilStarted(start: () => Promise<void>): Promise<void> {
  const attempts = startAgainMs / 500;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt >= attempts) throw error;
      await Bun.sleep(500);
    }
  }
}
