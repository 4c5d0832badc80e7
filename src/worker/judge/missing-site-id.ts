import { holdsToken } from '../../model/holds-token.ts';
import { findUnstorable } from '../../model/json-text.ts';
import type { Draft } from './draft.ts';
import { shown } from './shown.ts';

/** In characters (code points), as the registry counts them. */
const maxSiteIdLength = 128;

export function missingSiteId({ payload, token }: Draft): string | undefined {
  const siteId = payload.site_id;
  if (typeof siteId !== 'string') return `The site_id is ${shown(siteId, token)}, not a string.`;
  if (siteId === '') return 'The site_id is empty.';
  if (siteId.length > maxSiteIdLength && [...siteId].length > maxSiteIdLength) {
    return `The site_id ${shown(siteId, token)} has more than ${maxSiteIdLength} characters.`;
  }
  const unstorable = findUnstorable(siteId);
  if (unstorable !== undefined) {
    return `The site_id ${shown(siteId, token)} holds a ${unstorable.why}, which cannot be stored.`;
  }
  if (holdsToken(siteId, token)) return 'The site_id holds the provision token.';
  return undefined;
}
