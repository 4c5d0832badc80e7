import type { RegisteredDevice } from '../../model/registry.ts';
import type { Reading } from '../../model/verdict.ts';

/** A message whose form is right, next to what the registry says of its device. */
export interface Candidate {
  readonly reading: Reading;
  /** SHA-256 of the token it was sent with; undefined without one. */
  readonly tokenSha256: Uint8Array | undefined;
  readonly device: RegisteredDevice;
}

/** One check against the registry: a sentence that says what is wrong, or undefined. */
export type RegistryCheck = (candidate: Candidate) => string | undefined;
