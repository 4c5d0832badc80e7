/**
 * What `prove` looks for:
 * - `lost`: a yes without its row; `doubled`: more rows than sends can explain; `foreign`: a row nobody sent;
 * - `changed`: a row that is not what was sent; `misplaced`: stored instead of quarantined, or the other way round;
 * - `books`: claims, ledger, rows and the stream do not add up; `latest`: sensors, last-seen or roll-ups are wrong;
 * - `leaked`: a device's token in a table or a log;
 * - `undelivered`: a matching message that neither arrived nor is a dead letter; `misrouted`: one that does not match;
 * - `answer`: HTTP answered with what the contract does not have, as a 503 without `Retry-After`;
 * - `stuck`: no yes, or not settled, long after the last fault; `crashed`: a process ended by itself, or would not stop.
 */
export const violationKinds = [
  'lost',
  'doubled',
  'foreign',
  'changed',
  'misplaced',
  'books',
  'latest',
  'leaked',
  'undelivered',
  'misrouted',
  'stuck',
  'answer',
  'crashed',
] as const;
export type ViolationKind = (typeof violationKinds)[number];

export interface Violation {
  readonly kind: ViolationKind;
  /** One sentence with the numbers. */
  readonly what: string;
  /** Of the message, where it has one. */
  readonly identity?: string | undefined;
}
