import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/**
 * Undoes a Content-Encoding (lower case). Stops at `maxBytes`, so a bomb costs no more than a body of that size.
 * `deflate` is zlib's form (RFC 9110, section 8.4.1.2); the raw form that some clients send instead is taken too.
 */
export function inflate(
  bytes: Uint8Array,
  encoding: string,
  maxBytes: number,
): Uint8Array | 'too_large' | 'corrupt' {
  if (encoding === 'identity') return bytes;
  const options = { maxOutputLength: maxBytes };
  try {
    if (encoding !== 'deflate') return gunzipSync(bytes, options);
    return hasZlibHeader(bytes) ? inflateSync(bytes, options) : inflateRawSync(bytes, options);
  } catch (error) {
    return isOverflow(error) ? 'too_large' : 'corrupt';
  }
}

/** RFC 1950, section 2.2: method 8, and the two bytes a multiple of 31. */
function hasZlibHeader(bytes: Uint8Array): boolean {
  const [first, second] = [bytes[0] ?? 0, bytes[1] ?? 0];
  return (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
}

function isOverflow(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
