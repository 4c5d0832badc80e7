/**
 * Where a text mentions a provision token. Three cases, each of which may hold the others:
 * - JSON: every member named `provision_token`, at any depth and in any spelling or case;
 * - a JSON string that holds JSON (an envelope's payload may be one): the same inside, mapped back to the text;
 * - anything else: what stands behind the name, up to a certain delimiter, else up to the end.
 */
import { type Span, skipSpace, skipString, skipValue, unquote } from './json-spans.ts';
import { resolveEscapes } from './resolve-escapes.ts';

/** Ascending and disjoint. */
export interface TokenSpans {
  readonly cuts: Span[];
  /** What stood there, where it was a string, escapes resolved. */
  readonly tokens: string[];
}

/** Wrong only towards yes: the name stands there plainly, or something is escaped that could be part of it. */
const mayMention = /provision_token|\\u|%|\0/i;
const wholeTokenName = /^provision_token$/i;
/** Escapes only make a spelling longer, so a shorter text mentions nothing. */
const shortestMention = 'provision_token'.length;
const anyName = /provision_token/gi;
/** For prose in an intact JSON message: `provision_tokens` and the like are other words there. */
const separateName = /provision_token(?!\w)/gi;

/** JSON in a string in a string: beyond this many levels the whole string is cut. */
const maxStringLevels = 4;

export function findTokenSpans(text: string, level = 0): TokenSpans {
  if (text.length < shortestMention || !mayMention.test(text)) return { cuts: [], tokens: [] };
  if (level > maxStringLevels) return { cuts: [{ start: 0, end: text.length }], tokens: [] };
  return isJson(text) ? findInJson(text, level) : findInGarbage(text, level === 0 ? anyName : separateName);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function findInJson(text: string, level: number): TokenSpans {
  const found: TokenSpans = { cuts: [], tokens: [] };
  let index = text.indexOf('"');
  while (index !== -1) {
    const end = skipString(text, index);
    const content = unquote(text, index, end);
    const colon = skipSpace(text, end);
    if (text.charCodeAt(colon) === 0x3a && wholeTokenName.test(content)) {
      const start = skipSpace(text, colon + 1);
      const valueEnd = skipValue(text, start);
      if (text.charCodeAt(start) === 0x22) found.tokens.push(unquote(text, start, valueEnd));
      index = text.indexOf('"', cutMember(text, found.cuts, index, valueEnd));
      continue;
    }
    if (mayMention.test(content)) findInString(text, index, findTokenSpans(content, level + 1), found);
    index = text.indexOf('"', end);
  }
  return found;
}

/** Cuts a member with the comma behind it, or as the last one with the comma in front. Returns where to go on. */
function cutMember(text: string, cuts: Span[], keyStart: number, valueEnd: number): number {
  const behind = skipSpace(text, valueEnd);
  if (text.charCodeAt(behind) === 0x2c) {
    const next = skipSpace(text, behind + 1);
    cuts.push({ start: keyStart, end: next });
    return next;
  }
  let start = keyStart;
  for (;;) {
    const last = cuts.at(-1);
    if (last?.end === start) {
      // Its neighbour in front is cut as well, so the comma to take is further ahead.
      start = last.start;
      cuts.pop();
    } else if (text.charCodeAt(start - 1) <= 0x20) start--;
    else break;
  }
  if (text.charCodeAt(start - 1) === 0x2c) start--;
  cuts.push({ start, end: valueEnd });
  return valueEnd;
}

/** Maps what was found in a string's content back to the literal that starts at `start`. */
function findInString(text: string, start: number, inner: TokenSpans, found: TokenSpans): void {
  found.tokens.push(...inner.tokens);
  let at = start + 1;
  let units = 0;
  const offsetOf = (unit: number) => {
    for (; units < unit; units++) at += escapeLength(text, at);
    return at;
  };
  for (const cut of inner.cuts) found.cuts.push({ start: offsetOf(cut.start), end: offsetOf(cut.end) });
}

/** How many characters of a literal make one UTF-16 unit of its content. */
function escapeLength(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x5c) return 1;
  return text.charCodeAt(at + 1) === 0x75 ? 6 : 2;
}

/**
 * Behind the name: its closing quote, a colon, and a value of harmless characters whose quotes are escaped as
 * often as the name's, with a comma or bracket behind it. Only there is it certain where the token ends.
 */
const certainValue = /((\\*)"\s*:\s*\2")([\w.~+/=:-]*)\2"(?=\s*(?:[,}\]]|$))/y;

function findInGarbage(text: string, name: RegExp): TokenSpans {
  const found: TokenSpans = { cuts: [], tokens: [] };
  const resolved = resolveEscapes(text);
  // Escapes that never end hide something: nothing of it is kept.
  if (resolved === undefined) return { cuts: [{ start: 0, end: text.length }], tokens: [] };
  for (const match of resolved.text.matchAll(name)) {
    const behind = resolved.offsetOf(match.index + match[0].length);
    const value = valueBehind(text, behind);
    if (value === undefined) {
      found.cuts.push({ start: behind, end: text.length });
      break;
    }
    found.cuts.push(value);
    found.tokens.push(text.slice(value.start, value.end));
  }
  return found;
}

function valueBehind(text: string, at: number): Span | undefined {
  certainValue.lastIndex = at;
  const match = certainValue.exec(text);
  if (match === null) return undefined;
  const start = at + (match[1] ?? '').length;
  return { start, end: start + (match[3] ?? '').length };
}
