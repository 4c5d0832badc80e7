import { pick } from '../load/message.ts';
import type { MemberKind } from '../stack/member.ts';
import type { FaultContext } from './fault.ts';

/** Away for a moment, or until those who wait for it have given up. */
const away = { shortMs: 400, longShare: 0.3, longMs: 2_500 } as const;

/** kill -9 of one member of the kind, and its start a moment later. */
export async function killOne(
  kind: MemberKind,
  { stack, random, note }: Pick<FaultContext, 'stack' | 'random' | 'note'>,
): Promise<void> {
  const member = pick(stack.membersOf(kind), random);
  const awayMs = random() < away.longShare ? away.longMs : random() * away.shortMs;
  note(`${member.name} killed, away for ${Math.round(awayMs)} ms`);
  await member.kill();
  await Bun.sleep(awayMs);
  await member.start();
}
