import type { Draft } from './draft.ts';
import { shown } from './shown.ts';

/** The payload's version is the device's; the envelope's would be that of a newer gateway. */
export function unsupportedEnvelopeVersion({ envelope, payload, token }: Draft): string | undefined {
  for (const [where, { version }] of [
    ['payload', payload],
    ['envelope', envelope],
  ] as const) {
    if (version === undefined || version === 1 || version === '1') continue;
    return `The ${where}'s version is ${shown(version, token)}; this program reads version 1.`;
  }
  return undefined;
}
