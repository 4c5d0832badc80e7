/** Rows and bytes of envelopes. */
export interface QuarantineShare {
  readonly rows: number;
  readonly bytes: number;
}

/** What the quarantine holds at most. */
export interface QuarantineLimits {
  /** Of each registered tenant. */
  readonly tenant: QuarantineShare;
  /** Of all others together. */
  readonly unknown: QuarantineShare;
}

/** The budget that unknown tenants share. No tenant id is empty. */
export const unknownBudget = '';
