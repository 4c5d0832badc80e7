export interface ResolvedText {
  readonly text: string;
  /** Where in the original the character at `index` of `text` begins; its length maps to the original's. */
  offsetOf(index: number): number;
}

/** JSON in a string in a string needs as many rounds as there are levels. */
const maxRounds = 8;

/**
 * A text as a reader might end up seeing it, for searching: `\u` escapes behind any number of backslashes and
 * percent escapes are resolved, NUL characters (UTF-16 read as bytes) dropped, again and again until nothing
 * changes. `undefined` when something still changes after eight rounds. Linear time per round.
 */
export function resolveEscapes(text: string): ResolvedText | undefined {
  let resolved: ResolvedText = { text, offsetOf: (index) => index };
  if (!/[\\%\0]/.test(text)) return resolved;
  for (let round = 0; round < maxRounds; round++) {
    const next = resolveOnce(resolved);
    if (next.text.length === resolved.text.length) return resolved;
    resolved = next;
  }
  return undefined;
}

function resolveOnce(before: ResolvedText): ResolvedText {
  const source = before.text;
  const offsets: number[] = [];
  let text = '';
  let index = 0;
  while (index < source.length) {
    const { char, end } = nextCharacter(source, index);
    if (char !== '') {
      offsets.push(before.offsetOf(index));
      text += char;
    }
    index = end;
  }
  offsets.push(before.offsetOf(source.length));
  return { text, offsetOf: (at) => offsets[at] ?? before.offsetOf(source.length) };
}

function nextCharacter(source: string, index: number): { char: string; end: number } {
  const char = source.charAt(index);
  if (char === '\0') return { char: '', end: index + 1 };
  if (char === '%') return fromHex(source, index + 1, 2) ?? { char, end: index + 1 };
  if (char !== '\\') return { char, end: index + 1 };
  let end = index + 1;
  while (source.charAt(end) === '\\') end++;
  const escaped = source.charAt(end) === 'u' ? fromHex(source, end + 1, 4) : undefined;
  // A run of backslashes becomes one, so that every round but the last makes the text shorter.
  return escaped ?? { char, end };
}

function fromHex(source: string, start: number, length: number): { char: string; end: number } | undefined {
  const hex = source.slice(start, start + length);
  if (hex.length < length || !/^[0-9a-f]+$/i.test(hex)) return undefined;
  return { char: String.fromCharCode(Number.parseInt(hex, 16)), end: start + length };
}
