import { holdsToken } from '../../model/holds-token.ts';
import { isRawNumber, type RawNumber } from '../../model/json-text.ts';
import type { Draft } from './draft.ts';
import { metricsOf } from './metrics-of.ts';
import { shown, shownLiteral } from './shown.ts';
import { firstUnstorableNumber } from './unstorable-number.ts';

const maxStringLength = 1024;

export function metricValueInvalid(draft: Draft): string | undefined {
  const { token } = draft;
  const metrics = metricsOf(draft);
  for (const key of Object.keys(metrics)) {
    const value = metrics[key];
    const why = faultOf(value, token);
    if (why !== undefined) return `The metric ${shown(key, token)} is ${shown(value, token)}, ${why}.`;
  }
  const long = draft.mayOverflow ? firstUnstorableNumber(draft.metricsText ?? '{}') : undefined;
  return long === undefined
    ? undefined
    : `The metric number ${shownLiteral(long, token)} is too long to be stored.`;
}

function faultOf(value: unknown, token: string | undefined): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return undefined;
  if (typeof value === 'string') return textFault(value, token);
  if (typeof value === 'object' && isRawNumber(value)) return numberFault(value);
  return 'not a number, boolean, string or null';
}

function textFault(text: string, token: string | undefined): string | undefined {
  if (text.length > maxStringLength) return `longer than ${maxStringLength} characters`;
  if (text.includes('\0')) return 'which holds a NUL character and cannot be stored';
  if (holdsToken(text, token)) return 'where a token must not be';
  return text.isWellFormed() ? undefined : 'which holds a lone surrogate and cannot be stored';
}

/** Digits beyond a double are kept as sent; a value that a double turns into infinity or zero helps nobody. */
function numberFault({ rawJSON }: RawNumber): string | undefined {
  const value = Number(rawJSON);
  if (!Number.isFinite(value)) return 'beyond the range of a double';
  if (value === 0) return 'too close to zero for a double';
  return undefined;
}
