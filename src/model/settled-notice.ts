import type { PublicRejection } from './public-rejection.ts';

/**
 * What a worker tells a gateway, after COMMIT, of one message that somebody waits for. It holds what its sender may
 * know and nothing more. `settled`: it has an outcome, from a transaction that this worker did not see.
 */
export type SettledNotice = { readonly seq: number } & (
  | { readonly outcome: 'stored'; readonly time: string }
  | { readonly outcome: 'duplicate' | 'settled' }
  | { readonly outcome: 'quarantined'; readonly rejection: PublicRejection }
);

/** Undefined for what is no notice: anybody on the bus can send there. */
export function parseSettledNotice(text: string): SettledNotice | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { seq, outcome, time, rejection } = value as Record<string, unknown>;
  if (typeof seq !== 'number') return undefined;
  if (outcome === 'duplicate' || outcome === 'settled') return { seq, outcome };
  if (outcome === 'stored' && typeof time === 'string') return { seq, outcome, time };
  return outcome === 'quarantined' && isRejection(rejection) ? { seq, outcome, rejection } : undefined;
}

function isRejection(value: unknown): value is PublicRejection {
  if (typeof value !== 'object' || value === null) return false;
  const { reason, detail } = value as Record<string, unknown>;
  return typeof reason === 'string' && typeof detail === 'string';
}
