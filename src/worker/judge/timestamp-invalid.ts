import type { Draft } from './draft.ts';
import { shown } from './shown.ts';

export function timestampInvalid({ payload, time, token }: Draft): string | undefined {
  return time.ok ? undefined : `The ts ${shown(payload.ts, token)} ${time.why}.`;
}
