/** Why a job was given up. */
export type DeadLetterReason =
  /** ROUTES had no room, or the route's own cap refused the job. */
  | 'ROUTES_FULL'
  /** The destination said no, for good. */
  | 'REFUSED'
  /** Attempts were made for as long as they are. */
  | 'GAVE_UP'
  | 'ROUTE_DISABLED'
  | 'ROUTE_REMOVED'
  /** The destination's address is one that must not be connected to. */
  | 'ADDRESS_REFUSED'
  /** It can never be sent, wherever the destination is: a forbidden topic, or too large. */
  | 'UNDELIVERABLE';

export const deadLetterReasons: readonly DeadLetterReason[] = [
  'ROUTES_FULL',
  'REFUSED',
  'GAVE_UP',
  'ROUTE_DISABLED',
  'ROUTE_REMOVED',
  'ADDRESS_REFUSED',
  'UNDELIVERABLE',
];
