import { isRawNumber } from '../../model/json-text.ts';

const maxShown = 80;
// C1 controls and the line separators: JSON.stringify leaves them alone, terminals and logs do not.
const unprintable = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * A value for a `detail` sentence: strings quoted, cut to 80 characters and escaped so that any text column
 * and terminal can hold them; objects and arrays only named. What holds the token is never shown.
 */
export function shown(value: unknown, token: string | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return shownText(value, token);
  if (isRawNumber(value)) return shownLiteral(value.rawJSON, token);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return shownLiteral(String(value), token);
}

function shownText(text: string, token: string | undefined): string {
  if (token !== undefined && text.includes(token)) return '(not shown: it holds the token)';
  return `${quoted(text.slice(0, maxShown))}${text.length > maxShown ? '…' : ''}`;
}

/** A number as it was sent, or a keyword. */
export function shownLiteral(text: string, token: string | undefined): string {
  if (token !== undefined && text.includes(token)) return '(not shown: it holds the token)';
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    unprintable,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
