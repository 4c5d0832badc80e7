import { type Door, doors, pick } from '../load/message.ts';
import type { Fault } from './fault.ts';

const kinds = ['gateway', 'mqtt', 'worker', 'postgres'] as const;

/**
 * How far a clock is set off: from seconds to half a day. A door that is further than a day behind (or than
 * `TRIBUTARY_MAX_AHEAD_MS`) rightly has true timestamps quarantined as TIMESTAMP_OUT_OF_RANGE.
 */
const stepMs = { min: 2_000, max: 12 * 3_600_000 } as const;
const wrongMs = { min: 300, max: 1_500 } as const;
const allShare = 0.5;

const doorsOf: Readonly<Record<(typeof kinds)[number], readonly Door[]>> = {
  gateway: ['http', 'batch'],
  mqtt: ['mqtt'],
  worker: doors,
  postgres: doors,
};

/** The wall clock is set forward or back, later beyond the true time on the other side, and then right again. */
export const clockSteps = kinds.map((kind): Fault => {
  return {
    name: `clock-step-${kind}`,
    group: 'clock-step',
    about: `the wall clock of ${kind === 'postgres' ? 'PostgreSQL' : `${kind}s`} steps, both ways (libfaketime)`,
    needs: ['faked clocks'],
    doors: doorsOf[kind],
    strike: async ({ stack, random, note }) => {
      const members = stack.membersOf(kind);
      const struck = random() < allShare ? members : [pick(members, random)];
      const sign = random() < 0.5 ? 1 : -1;
      for (const aheadMs of [sign * stepFor(random), -sign * stepFor(random), 0]) {
        for (const { name } of struck) stack.setClock(name, aheadMs);
        note(`clock of ${struck.map(({ name }) => name).join(', ')} ${describe(aheadMs)}`);
        if (aheadMs !== 0) await Bun.sleep(wrongMs.min + random() * (wrongMs.max - wrongMs.min));
      }
    },
  };
});

/** Seconds as often as minutes or hours. */
function stepFor(random: () => number): number {
  return Math.round(stepMs.min * (stepMs.max / stepMs.min) ** random());
}

function describe(aheadMs: number): string {
  if (aheadMs === 0) return 'right again';
  return `${Math.round(Math.abs(aheadMs) / 1_000)} s ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}
