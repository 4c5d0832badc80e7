import { type Door, doors, pick } from '../load/message.ts';
import {
  type CommonKind,
  childrenOf,
  type Member,
  type MemberEnd,
  memberKinds,
  sendSignal,
} from '../stack/member.ts';
import type { Fault, FaultContext } from './fault.ts';

/** One in so many faults strikes all members of the kind at once. */
const allShare = 0.25;
/** Mostly it is back at once, as under a supervisor; sometimes only after those who wait for it have given up. */
const away = { shortMs: 400, longShare: 0.2, longMs: 1_500, longestMs: 3_500 } as const;
const pauseMs = { min: 300, max: 2_500 } as const;
/** A role has to end in order within this time. */
const drainLimitMs = 15_000;

const doorsOf: Readonly<Record<CommonKind, readonly Door[]>> = {
  gateway: ['http', 'batch'],
  mqtt: ['mqtt'],
  worker: doors,
  nats: doors,
  postgres: doors,
};

/** kill -9 of a process, and its start a moment later. */
export const killFaults = memberKinds.map((kind): Fault => {
  return {
    name: `kill-${kind}`,
    group: 'kill',
    about: `kill -9 of ${describe(kind)}`,
    needs: [],
    doors: doorsOf[kind],
    strike: async (context) => {
      const awayMs = awayFor(context.random);
      await strikeMembers(kind, context, `killed, away for ${Math.round(awayMs)} ms`, async (member) => {
        await member.kill();
        await Bun.sleep(awayMs);
        await member.start();
      });
    },
  };
});

/** SIGSTOP for a while, then SIGCONT: the process knows nothing of it. */
export const pauseFaults = memberKinds.map((kind): Fault => {
  return {
    name: `pause-${kind}`,
    group: 'pause',
    about: `SIGSTOP of ${describe(kind)}, SIGCONT later`,
    needs: [],
    doors: doorsOf[kind],
    strike: async (context) => {
      const forMs = pauseMs.min + context.random() * (pauseMs.max - pauseMs.min);
      await strikeMembers(kind, context, `paused for ${Math.round(forMs)} ms`, async (member) => {
        member.signal('SIGSTOP');
        await Bun.sleep(forMs);
        member.signal('SIGCONT');
      });
    },
  };
});

/** SIGTERM, an orderly end, and a new start. */
export const restartFaults = memberKinds.map((kind): Fault => {
  return {
    name: `restart-${kind}`,
    group: 'restart',
    about: `orderly restart of ${describe(kind)}`,
    needs: [],
    doors: doorsOf[kind],
    strike: async (context) => {
      await strikeMembers(kind, context, 'restarted', async (member) => {
        const end = await member.stop();
        const isRole = kind !== 'nats' && kind !== 'postgres';
        if (isRole && end !== undefined) complaintsOf(member.name, end).forEach(context.complain);
        await member.start();
      });
    },
  };
});

/** What is wrong with the end of a role that SIGTERM asked for. */
export function complaintsOf(name: string, { code, signal, tookMs, wasReady }: MemberEnd): string[] {
  // The signal itself ends a process whose program does not run yet. It had nothing in hand.
  const hadNotBegun = signal === 'SIGTERM' && !wasReady;
  return [
    code === 0 || hadNotBegun ? [] : `${name} ended with ${signal ?? code} when asked to stop`,
    tookMs > drainLimitMs ? `${name} took ${Math.round(tookMs)} ms to stop` : [],
  ].flat();
}

/** kill -9 of one backend: PostgreSQL then ends all of them and recovers by itself. */
export const killBackend: Fault = {
  name: 'kill-backend',
  group: 'kill',
  about: 'kill -9 of one of PostgreSQL’s backends',
  needs: [],
  doors,
  strike: async ({ stack, random, note }) => {
    const pid = stack.membersOf('postgres')[0]?.pid();
    const backends = pid === undefined ? [] : childrenOf(pid);
    if (backends.length === 0) return;
    sendSignal(pick(backends, random), 'SIGKILL');
    note('a backend killed');
  },
};

function awayFor(random: () => number): number {
  if (random() >= away.longShare) return random() * away.shortMs;
  return away.longMs + random() * (away.longestMs - away.longMs);
}

function describe(kind: CommonKind): string {
  return {
    gateway: 'a gateway',
    mqtt: 'an MQTT listener',
    worker: 'a worker',
    nats: 'NATS',
    postgres: 'PostgreSQL',
  }[kind];
}

async function strikeMembers(
  kind: CommonKind,
  { stack, random, note }: FaultContext,
  what: string,
  strike: (member: Member) => Promise<void>,
): Promise<void> {
  const members = stack.membersOf(kind);
  const struck = random() < allShare ? members : [pick(members, random)];
  note(`${struck.map(({ name }) => name).join(', ')} ${what}`);
  await Promise.all(struck.map(strike));
}
