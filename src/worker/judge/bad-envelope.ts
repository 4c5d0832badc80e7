import { holdsToken } from '../../model/holds-token.ts';
import { findUnstorable, withoutMembers } from '../../model/json-text.ts';
import type { Draft } from './draft.ts';
import { shown, shownLiteral } from './shown.ts';
import { firstUnstorableNumber } from './unstorable-number.ts';

/** Members of the payload that other checks look at, or that are never stored: not this check's. */
const checkedElsewhere = ['site_id', 'ts', 'version', 'metrics', 'provision_token'];

/** Also what a payload holds besides its known members: it is stored as sent or not at all. */
export function badEnvelope(draft: Draft): string | undefined {
  if (draft.unreadable !== undefined) return `The message ${draft.unreadable}.`;
  return missingMember(draft) ?? repeatedKey(draft) ?? unstorableRest(draft);
}

function missingMember({ envelope, token }: Draft): string | undefined {
  for (const name of ['topic', 'tenant_id', 'device_id']) {
    const value = envelope[name];
    if (typeof value !== 'string') return `The envelope's ${name} is ${shown(value, token)}, not a string.`;
  }
  return undefined;
}

function repeatedKey({ repeatedKey: path, token }: Draft): string | undefined {
  return path === undefined ? undefined : `The key ${shown(path, token)} stands more than once.`;
}

function unstorableRest(draft: Draft): string | undefined {
  const { payload, payloadText, token } = draft;
  if (needsWalk(draft)) {
    const rest = Object.fromEntries(
      Object.entries(payload).filter(([key]) => !checkedElsewhere.includes(key)),
    );
    const unstorable = findUnstorable(rest);
    if (unstorable !== undefined) {
      return `The payload's ${shown(unstorable.path, token)} holds a ${unstorable.why}, which cannot be stored.`;
    }
    if (holdsSecret(rest, token)) return 'The provision token stands elsewhere in the payload too.';
  }
  if (!draft.mayOverflow) return undefined;
  const number = firstUnstorableNumber(withoutMembers(payloadText, checkedElsewhere));
  return number === undefined
    ? undefined
    : `The payload's number ${shownLiteral(number, token)} is too long to be stored.`;
}

/** Whether there can be anything that a walk over the payload would find: seldom. */
function needsWalk({ mayBeUnstorable, payloadText, token }: Draft): boolean {
  return (
    mayBeUnstorable ||
    standsTwice(payloadText, 'provision_token') ||
    (token !== undefined && standsTwice(payloadText, token))
  );
}

function standsTwice(text: string, part: string): boolean {
  const first = text.indexOf(part);
  return first !== -1 && text.includes(part, first + 1);
}

/** A token below the top level, or this message's token in a key or string. */
function holdsSecret(value: unknown, token: string | undefined): boolean {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string' && holdsToken(next, token)) return true;
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, child] of Object.entries(next)) {
      if (key === 'provision_token' || holdsToken(key, token)) return true;
      if (child !== null) open.push(child);
    }
  }
  return false;
}
