import { depthExceeds } from './json-spans.ts';

/** How deep objects and arrays of one message may nest. */
export const maxJsonDepth = 32;

export type StrictJsonFault = 'not_utf8' | 'not_json' | 'too_deep' | 'proto_key';

export type StrictJson =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly why: StrictJsonFault };

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse refuses it (RFC 8259, section 8.1).
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// Each character plain or as an escape. Only a first look, hence in any case: the walk over the value decides.
const protoSpelling =
  /"(?:_|\\u005f){2}(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006f)(?:t|\\u0074)(?:o|\\u006f)(?:_|\\u005f){2}"/i;

/** Bytes to text, or `undefined` where they are not valid UTF-8; nothing is ever replaced by U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Parses what came over a wire. Refused are bytes that are not UTF-8, text that is not JSON, nesting deeper
 * than `maxDepth` (default 32), and `__proto__` keys at any depth, which a later assign would turn into a
 * swapped prototype. `value` is JSON.parse's: for exact numbers see `parseExactJson`. Never throws.
 */
export function parseStrictJson(bytes: Uint8Array, options: { maxDepth?: number } = {}): StrictJson {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { ok: false, why: 'not_utf8' };
  // Before parsing: JSON.parse itself takes any depth, but what walks the value afterwards would not.
  if (depthExceeds(text, options.maxDepth ?? maxJsonDepth)) return { ok: false, why: 'too_deep' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: 'not_json' };
  }
  if (mayHoldProtoKey(text) && hasProtoKey(value)) return { ok: false, why: 'proto_key' };
  return { ok: true, value, text };
}

/** Cheap, and wrong only towards yes. */
export function mayHoldProtoKey(text: string): boolean {
  return text.includes('"__proto__"') || (text.includes('\\u') && protoSpelling.test(text));
}

/** Whether a parsed value has an own `__proto__` key at any depth. Iterative. */
export function hasProtoKey(value: unknown): boolean {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next) && Object.hasOwn(next, '__proto__')) return true;
    for (const child of Object.values(next)) {
      if (typeof child === 'object' && child !== null) open.push(child);
    }
  }
  return false;
}
