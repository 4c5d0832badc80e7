/** Sequences of the stream by their outcome: accepted = stored + duplicates + quarantined + internal + inFlight + unaccounted. */
export interface AuditedCounts {
  readonly accepted: bigint;
  readonly stored: bigint;
  readonly duplicates: bigint;
  readonly quarantined: bigint;
  readonly internal: bigint;
  readonly inFlight: bigint;
  /** Those that left the stream without an outcome. */
  readonly unaccounted: bigint;
}
