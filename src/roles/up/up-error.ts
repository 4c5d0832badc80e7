/** A condition that `up` cannot go on with. Its message is the whole of what the user needs to see. */
export class UpError extends Error {
  override readonly name = 'UpError';
}
