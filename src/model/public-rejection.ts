import type { Reason } from './reasons.ts';

/**
 * What a sender is told of why its message was quarantined. Whether a device exists, has a token or is revoked is told
 * to nobody: these read alike.
 */
export type PublicReason = Exclude<Reason, UnauthorizedReason> | 'NOT_AUTHORIZED';

type UnauthorizedReason = (typeof unauthorized)[number];

const unauthorized = [
  'UNREGISTERED_DEVICE',
  'TOKEN_NOT_SET',
  'TOKEN_MISSING',
  'TOKEN_INVALID',
  'DEVICE_REVOKED',
] as const satisfies readonly Reason[];

export interface PublicRejection {
  readonly reason: PublicReason;
  readonly detail: string;
}

const notAuthorized: PublicRejection = {
  reason: 'NOT_AUTHORIZED',
  detail: 'the device is not known, or the token it sent is not one that it may send with',
};

export function publicRejection({
  reason,
  detail,
}: {
  readonly reason: Reason;
  readonly detail: string;
}): PublicRejection {
  return isUnauthorized(reason) ? notAuthorized : { reason, detail };
}

function isUnauthorized(reason: Reason): reason is UnauthorizedReason {
  return (unauthorized as readonly Reason[]).includes(reason);
}
