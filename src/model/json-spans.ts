/**
 * Finding one's way in JSON text without printing it again. Every function here expects text that
 * JSON.parse has accepted: the scanners then need no error handling, and what is not touched keeps its
 * bytes (number spellings, escapes, duplicate keys, white space). All of them are iterative, so the depth
 * of the text never reaches the stack.
 */

/** One member of an object; the spans are offsets into the text that was scanned, ends exclusive. */
export interface Member {
  /** The key with its escapes resolved. */
  readonly key: string;
  /** Where the key's opening quote stands. */
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** The first offset at or after `at` that holds no JSON white space. */
export function skipSpace(text: string, at: number): number {
  let index = at;
  for (;;) {
    const code = text.charCodeAt(index);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return index;
    index++;
  }
}

/** The offset behind the closing quote of the string whose opening quote is at `at`; the text's end without one. */
export function skipString(text: string, at: number): number {
  let from = at + 1;
  for (;;) {
    const close = text.indexOf('"', from);
    if (close === -1) return text.length;
    let first = close;
    while (first > at + 1 && text.charCodeAt(first - 1) === backslash) first--;
    if ((close - first) % 2 === 0) return close + 1;
    from = close + 1;
  }
}

/** The offset behind the value that starts at `at`. */
export function skipValue(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === quote) return skipString(text, at);
  if (code === openBrace || code === openBracket) return skipContainer(text, at);
  return skipScalar(text, at);
}

function skipContainer(text: string, at: number): number {
  let depth = 0;
  let index = at;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      index = skipString(text, index);
      continue;
    }
    index++;
    if (code === openBrace || code === openBracket) depth++;
    else if ((code === closeBrace || code === closeBracket) && --depth === 0) return index;
  }
  return text.length;
}

function skipScalar(text: string, at: number): number {
  let index = at;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === comma || code === closeBrace || code === closeBracket || code <= 0x20) return index;
    index++;
  }
  return index;
}

/** The string literal between two offsets (quotes included) with its escapes resolved. */
export function unquote(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  return inner.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : inner;
}

/** The members of the object that starts at `start` (white space before it is skipped), in the text's order. */
export function topLevelMembers(text: string, start = 0): Member[] {
  const members: Member[] = [];
  let index = skipSpace(text, start);
  if (text.charCodeAt(index) !== openBrace) return members;
  index = skipSpace(text, index + 1);
  while (text.charCodeAt(index) === quote) {
    const keyStart = index;
    const keyEnd = skipString(text, keyStart);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const valueEnd = skipValue(text, valueStart);
    members.push({ key: unquote(text, keyStart, keyEnd), keyStart, valueStart, valueEnd });
    index = skipSpace(text, valueEnd);
    if (text.charCodeAt(index) === comma) index = skipSpace(text, index + 1);
  }
  return members;
}

/** The spans of the elements of the array that starts at `start` (white space before it is skipped). */
export function arrayElements(text: string, start = 0): Span[] {
  const elements: Span[] = [];
  let index = skipSpace(text, start);
  if (text.charCodeAt(index) !== openBracket) return elements;
  index = skipSpace(text, index + 1);
  while (index < text.length && text.charCodeAt(index) !== closeBracket) {
    const end = skipValue(text, index);
    elements.push({ start: index, end });
    index = skipSpace(text, end);
    if (text.charCodeAt(index) === comma) index = skipSpace(text, index + 1);
  }
  return elements;
}

/** The member that JSON.parse would have kept under `key`, that is the last one; `undefined` without one. */
export function memberSpan(text: string, key: string, start = 0): Member | undefined {
  let found: Member | undefined;
  for (const member of topLevelMembers(text, start)) {
    if (member.key === key) found = member;
  }
  return found;
}

/** Whether objects and arrays nest deeper than `maxDepth`. Needs no valid JSON, and stops at the first excess. */
export function depthExceeds(text: string, maxDepth: number): boolean {
  if (!opensMoreThan(text, maxDepth)) return false;
  let depth = 0;
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      index = skipString(text, index);
      continue;
    }
    index++;
    if (code === openBrace || code === openBracket) {
      if (++depth > maxDepth) return true;
    } else if (code === closeBrace || code === closeBracket) depth--;
  }
  return false;
}

/** A few hops decide for most bodies: what opens no more than `limit` brackets cannot nest deeper. */
function opensMoreThan(text: string, limit: number): boolean {
  let seen = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++seen > limit) return true;
    }
  }
  return false;
}
