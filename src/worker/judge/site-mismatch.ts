import type { Candidate } from './candidate.ts';
import { shown } from './shown.ts';

/** MISSING_SITE_ID has already refused a site_id that holds the token: it may be shown. */
export function siteMismatch({ device, reading: { siteId } }: Candidate): string | undefined {
  return siteId === device.siteId
    ? undefined
    : `Device "${device.deviceId}" belongs to site ${shown(device.siteId, undefined)}, not to ${shown(siteId, undefined)}.`;
}
