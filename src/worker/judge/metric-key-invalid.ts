import { holdsToken } from '../../model/holds-token.ts';
import { topLevelMembers } from '../../model/json-text.ts';
import type { Draft } from './draft.ts';
import { metricsOf } from './metrics-of.ts';
import { shown } from './shown.ts';

/** In UTF-16 units, so that a key fits an index whatever its script. */
const maxKeyLength = 128;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

export function metricKeyInvalid(draft: Draft): string | undefined {
  const { token } = draft;
  for (const key of Object.keys(metricsOf(draft))) {
    const why = faultOf(key, token);
    if (why !== undefined) return `The metric key ${shown(key, token)} ${why}.`;
  }
  const repeated = draft.mayRepeatKeys ? repeatedKey(draft.metricsText ?? '{}') : undefined;
  return repeated === undefined
    ? undefined
    : `The metric key ${shown(repeated, token)} stands more than once.`;
}

function faultOf(key: string, token: string | undefined): string | undefined {
  if (key === '') return 'is empty';
  if (key.length > maxKeyLength) return `has more than ${maxKeyLength} characters`;
  if (controlCharacter.test(key)) return 'holds a control character';
  if (!key.isWellFormed()) return 'holds a lone surrogate, which cannot be stored';
  if (key === 'provision_token' || holdsToken(key, token)) return 'is where a token must not be';
  return undefined;
}

function repeatedKey(metricsText: string): string | undefined {
  const seen = new Set<string>();
  for (const { key } of topLevelMembers(metricsText)) {
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}
