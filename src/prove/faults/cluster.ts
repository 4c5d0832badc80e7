import { streamInfo } from '../../stream/stream-info.ts';
import { streamName } from '../../stream/subjects.ts';
import { doors, pick } from '../load/message.ts';
import { watchElections, whenCurrent } from '../stack/cluster.ts';
import type { Member } from '../stack/member.ts';
import type { Stack } from '../stack/stack.ts';
import type { Fault, FaultContext } from './fault.ts';

/** A server that was killed is away longer than an election takes, or back within it. */
const awayMs = { min: 500, max: 15_000 } as const;
/** Cut off for less than an election takes, or until the others have a leader of their own. */
const apartMs = { min: 3_000, max: 15_000 } as const;
const currentWithinMs = 60_000;

const clusterFault = (
  name: string,
  about: string,
  strike: (context: FaultContext, servers: Roles) => Promise<void>,
): Fault => ({
  name,
  group: 'cluster',
  about,
  needs: ['cluster'],
  doors,
  strike: async (context) => {
    const { stack, complain, elected } = context;
    const roles = await findRoles(stack);
    let struckMs: number | undefined;
    const stopWatching = watchElections(stack.nc, () => {
      if (struckMs !== undefined) elected(stack.now() - struckMs);
    });
    const strikesNow = () => {
      struckMs = stack.now();
      context.strikesNow();
    };
    await strike({ ...context, strikesNow }, roles);
    // Struck before that, a server that follows may not have what was accepted: nobody promises that.
    const why = await whenCurrent(stack.nc, { timeoutMs: currentWithinMs, now: stack.now });
    stopWatching();
    if (why !== undefined) complain(`${currentWithinMs / 1_000} s after ${name}: ${why}`);
  },
});

export const clusterFaults: readonly Fault[] = [
  clusterFault('kill-leader', 'kill -9 of the server that leads the stream', (context, { leader }) =>
    kill([leader], context),
  ),
  clusterFault('kill-follower', 'kill -9 of a server that follows', (context, { followers }) =>
    kill([pick(followers, context.random)], context),
  ),
  clusterFault(
    'kill-majority',
    'kill -9 of the leader and of one that follows, at once',
    (context, { leader, followers }) => kill([leader, pick(followers, context.random)], context),
  ),
  clusterFault(
    'partition-leader',
    'the server that leads the stream is cut off from the others, not from who is connected to it',
    async ({ stack, random, note, strikesNow }, { leader }) => {
      const forMs = between(apartMs, random);
      strikesNow();
      stack.cluster?.isolate(leader.name);
      note(`${leader.name} cut off for ${Math.round(forMs)} ms`);
      await Bun.sleep(forMs);
      stack.cluster?.rejoin(leader.name);
    },
  ),
  clusterFault(
    'rolling-restart',
    'orderly restart of one server after the other',
    async ({ stack, note, strikesNow, complain }, { leader, followers }) => {
      strikesNow();
      for (const member of [...followers, leader]) {
        await member.stop();
        await member.start();
        const why = await whenCurrent(stack.nc, { timeoutMs: currentWithinMs, now: stack.now });
        if (why !== undefined) complain(`after the restart of ${member.name}: ${why}`);
      }
      note('all servers restarted, the leader last');
    },
  ),
];

interface Roles {
  readonly leader: Member;
  readonly followers: readonly Member[];
}

async function findRoles({ nc, membersOf }: Stack): Promise<Roles> {
  const { placement } = await streamInfo(nc, streamName);
  const servers = membersOf('nats');
  const leader = servers.find(({ name }) => name === placement?.leader);
  if (leader === undefined) throw new Error(`no server of the stack leads ${streamName}`);
  return { leader, followers: servers.filter((each) => each !== leader) };
}

/** Kills them at once, and starts each after a time of its own. */
async function kill(members: readonly Member[], { random, note, strikesNow }: FaultContext): Promise<void> {
  const struck = members.map((member) => ({ member, forMs: between(awayMs, random) }));
  strikesNow();
  await Promise.all(
    struck.map(async ({ member, forMs }) => {
      await member.kill();
      note(`${member.name} killed, away for ${Math.round(forMs)} ms`);
      await Bun.sleep(forMs);
      await member.start();
    }),
  );
}

function between({ min, max }: { min: number; max: number }, random: () => number): number {
  return min + random() * (max - min);
}
