import type { Span } from './json-spans.ts';
import { decodeUtf8 } from './strict-json.ts';
import { isOwnSecret } from './token.ts';
import { findTokenSpans } from './token-spans.ts';

export interface TokenCut {
  /** What may be kept: the raw message without tokens. */
  readonly bytes: Uint8Array;
  /** The tokens that were cut out, as far as they could be read, in the order of the text. Never to be stored. */
  readonly tokens: string[];
}

/** Shorter tokens are no secrets, and are part of ordinary words. */
const minSecretLength = 8;
/** Beyond this many different tokens in one message nothing of it is kept: searching for each costs time. */
const maxTokens = 128;

/**
 * Cuts provision tokens out of a raw message for the quarantine, by slicing: what is not a token keeps its bytes.
 * Members named `provision_token` go at any depth, also inside JSON strings that hold JSON, in any spelling. Where
 * the text is no JSON, what stands behind the name goes, up to a certain delimiter or else to the end. A token of
 * 8 or more characters that was cut, or any secret of our own form, is masked (`***`) wherever else it stands.
 * Takes any bytes, never throws.
 */
export function cutTokens(raw: Uint8Array): TokenCut {
  const utf8 = decodeUtf8(raw);
  // Latin-1 gives every byte one character and back: offsets stay right in bytes that are no UTF-8.
  const text = utf8 ?? Buffer.from(raw).toString('latin1');
  const { cuts, tokens } = findTokenSpans(text);
  const masked = maskTokens(withoutSpans(text, cuts), tokens);
  if (masked === text) return { bytes: raw, tokens };
  return { bytes: Buffer.from(masked, utf8 === undefined ? 'latin1' : 'utf8'), tokens };
}

function withoutSpans(text: string, cuts: readonly Span[]): string {
  let kept = '';
  let from = 0;
  for (const { start, end } of cuts) {
    kept += text.slice(from, start);
    from = end;
  }
  return kept + text.slice(from);
}

function maskTokens(text: string, tokens: readonly string[]): string {
  const secrets = new Set(tokens.filter((token) => token.length >= minSecretLength));
  for (const [secret] of text.matchAll(/(?:trb_|trbop_)[0-9A-Za-z]{49}/g)) {
    if (isOwnSecret(secret)) secrets.add(secret);
  }
  if (secrets.size === 0) return text;
  if (secrets.size > maxTokens) return '';
  const spellings = new Set([...secrets].flatMap(spellingsOf));
  const mask = maskFor(spellings);
  if (mask === undefined) return '';
  let masked = text;
  // Longest first: a token that is part of another would leave the rest of it behind.
  for (const spelling of [...spellings].sort((a, b) => b.length - a.length)) {
    masked = masked.replaceAll(spelling, mask);
  }
  return masked;
}

/** As it is, as JSON writes it, and as JSON in a JSON string writes it. */
function spellingsOf(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  return [secret, escaped, JSON.stringify(escaped).slice(1, -1)];
}

/** Made of a character that is in no token, so that masking one cannot put another together. */
function maskFor(spellings: ReadonlySet<string>): string | undefined {
  for (const char of '*#~?!@$^&|;') {
    if (![...spellings].some((spelling) => spelling.includes(char))) return char.repeat(3);
  }
  return undefined;
}
