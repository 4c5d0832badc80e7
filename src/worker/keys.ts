import type { Accepted } from '../model/verdict.ts';
import { insertMessageKeys, selectMessageKeys } from '../store/statements/message-keys.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { type Claimed, quarantine } from './plan.ts';
import type { Charged } from './rate-limiter.ts';

/** `undefined`: nothing is charged, as for a replay. */
export type ChargeLimits = (accepted: Accepted) => Charged | undefined;

/**
 * Decides the messages that carry an idempotency key, and charges the limiter for what remains. A key whose
 * message was limited is not recorded: its resend must be able to come through.
 */
export async function settleKeys(
  db: Queryable,
  messages: readonly Claimed[],
  charge: ChargeLimits,
): Promise<void> {
  const keyed = messages.filter((message) => message.outcome === 'open' && keyOf(message) !== undefined);
  const owners =
    keyed.length === 0 ? new Map<string, string>() : await selectMessageKeys(db, identitiesOf(keyed));
  const winners: Claimed[] = [];
  for (const message of messages) {
    if (message.outcome !== 'open') continue;
    const key = keyOf(message);
    if (key !== undefined && yields(message, owners)) continue;
    const charged = chargeOnce(message, charge);
    if (charged?.ok === false) {
      quarantine(message, charged.rejection);
    } else if (key !== undefined) {
      owners.set(key.identity, key.bodyHash);
      winners.push(message);
    }
  }
  if (winners.length > 0) await recordKeys(db, winners);
}

/** Another worker may have recorded the same key since the look-up; the insert has waited for its commit. */
async function recordKeys(db: Queryable, winners: readonly Claimed[]): Promise<void> {
  const recorded = await insertMessageKeys(
    db,
    winners.flatMap((message) => {
      const { verdict } = message;
      const key = keyOf(message);
      return key === undefined || verdict.outcome !== 'accept'
        ? []
        : { ...key, timeUs: verdict.reading.timeUs };
    }),
  );
  const late = winners.filter((message) => !recorded.has(message.entry.decoded.identity.identity));
  if (late.length === 0) return;
  const owners = await selectMessageKeys(db, identitiesOf(late));
  for (const message of late) yields(message, owners);
}

/** Whether somebody else owns the message's key; the message then is a duplicate, or reuses the key. */
function yields(message: Claimed, owners: ReadonlyMap<string, string>): boolean {
  const { identity, bodyHash } = message.entry.decoded.identity;
  const owner = owners.get(identity);
  if (owner === undefined) return false;
  if (owner === bodyHash) {
    message.outcome = 'duplicate';
  } else {
    quarantine(message, {
      reason: 'IDENTITY_REUSED',
      detail: 'this idempotency key was used before with another body; give every message a key of its own',
    });
  }
  return true;
}

function chargeOnce({ entry, verdict }: Claimed, charge: ChargeLimits): Charged | undefined {
  if (verdict.outcome !== 'accept') return undefined;
  entry.charged ??= charge(verdict);
  return entry.charged;
}

function keyOf({ entry }: Claimed): { identity: string; bodyHash: string } | undefined {
  const { kind, identity, bodyHash } = entry.decoded.identity;
  return kind === 'key' && bodyHash !== undefined ? { identity, bodyHash } : undefined;
}

function identitiesOf(messages: readonly Claimed[]): string[] {
  return messages.map((message) => message.entry.decoded.identity.identity);
}
