import { skipSpace, skipString, unquote } from './json-spans.ts';

/**
 * The path of a key that stands more than once in its object, at any depth (`metrics.temp`; array elements add
 * nothing to the path); `undefined` when there is none. `text` must be what JSON.parse (or parseExactJson) made
 * `value` of. Which of two values was meant is not ours to guess, and JSON.parse silently takes the last.
 *
 * Cheap in the usual case by counting: what looks like a key in the text is at least every key, and every key
 * is at least what the parsed value kept; when the two ends are equal, nothing was dropped.
 */
export function duplicateKey(text: string, value: unknown): string | undefined {
  if (keyCandidates(text) === parsedKeys(value)) return undefined;
  return scanForDuplicate(text);
}

function keyCandidates(text: string): number {
  let count = 0;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let before = colon - 1;
    while (text.charCodeAt(before) <= 0x20) before--;
    if (text.charCodeAt(before) === 0x22) count++;
  }
  return count;
}

function parsedKeys(value: unknown): number {
  let count = 0;
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null || JSON.isRawJSON(next)) continue;
    const children = Object.values(next);
    if (!Array.isArray(next)) count += children.length;
    for (const child of children) {
      if (typeof child === 'object' && child !== null) open.push(child);
    }
  }
  return count;
}

interface Frame {
  readonly keys: Set<string> | undefined;
  key: string | undefined;
}

function scanForDuplicate(text: string): string | undefined {
  const frames: Frame[] = [];
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === 0x22) {
      const end = skipString(text, index);
      const frame = frames.at(-1);
      if (frame?.keys !== undefined && text.charCodeAt(skipSpace(text, end)) === 0x3a) {
        frame.key = unquote(text, index, end);
        if (frame.keys.has(frame.key)) return pathOf(frames);
        frame.keys.add(frame.key);
      }
      index = end;
      continue;
    }
    index++;
    if (code === 0x7b) frames.push({ keys: new Set(), key: undefined });
    else if (code === 0x5b) frames.push({ keys: undefined, key: undefined });
    else if (code === 0x7d || code === 0x5d) frames.pop();
  }
  return undefined;
}

function pathOf(frames: readonly Frame[]): string {
  return frames.flatMap((frame) => frame.key ?? []).join('.');
}
