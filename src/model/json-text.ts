/**
 * Changing JSON objects by slicing their text, never by parsing and printing: what is not cut or added keeps
 * its bytes. The functions expect text that JSON.parse has accepted and whose top level is an object.
 */
import { type Member, skipSpace, topLevelMembers } from './json-spans.ts';

export { duplicateKey } from './duplicate-key.ts';
export { isRawNumber, parseExactJson, type RawNumber } from './exact-json.ts';
export { arrayElements, type Member, memberSpan, type Span, topLevelMembers } from './json-spans.ts';
export { parseStrictJson, type StrictJson, type StrictJsonFault } from './strict-json.ts';
export { cutTokens, type TokenCut } from './token-cut.ts';
export { findUnstorable, type Unstorable } from './unstorable.ts';

/**
 * The object with `key` set to `valueText` (JSON text), as its first member. Whatever stood under that key,
 * once or several times and in whatever spelling, is cut out.
 */
export function withMember(text: string, key: string, valueText: string): string {
  const keyText = JSON.stringify(key);
  const rest = mayHoldKey(text, keyText) ? withoutMembers(text, [key]) : text;
  const inside = rest.indexOf('{') + 1;
  const isEmpty = rest.charCodeAt(skipSpace(rest, inside)) === 0x7d;
  return `${rest.slice(0, inside)}${keyText}:${valueText}${isEmpty ? '' : ','}${rest.slice(inside)}`;
}

/** Cheap, and wrong only towards yes: an escaped spelling needs a backslash, a plain one the quoted key. */
function mayHoldKey(text: string, keyText: string): boolean {
  return text.includes(keyText) || text.includes('\\');
}

/** The object without the top-level members of these keys, commas mended. */
export function withoutMembers(text: string, keys: readonly string[]): string {
  const members = topLevelMembers(text);
  if (!members.some((member) => keys.includes(member.key))) return text;
  const cuts = cutsFor(members, keys);
  let result = '';
  let from = 0;
  for (const [start, end] of cuts) {
    result += text.slice(from, start);
    from = end;
  }
  return result + text.slice(from);
}

/** A member goes with the comma behind it; the last ones go with the comma in front of them. */
function cutsFor(members: readonly Member[], keys: readonly string[]): [number, number][] {
  const cuts: [number, number][] = [];
  let keptEnd: number | undefined;
  for (const [index, member] of members.entries()) {
    if (!keys.includes(member.key)) {
      keptEnd = member.valueEnd;
      continue;
    }
    const next = members[index + 1];
    if (next !== undefined) {
      cuts.push([member.keyStart, next.keyStart]);
      continue;
    }
    while (keptEnd !== undefined && (cuts.at(-1)?.[0] ?? -1) >= keptEnd) cuts.pop();
    cuts.push([keptEnd ?? member.keyStart, member.valueEnd]);
  }
  return cuts;
}
