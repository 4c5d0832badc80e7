/**
 * Hands out random bytes of a stock that is filled in one go: asking the system for 16 bytes costs nearly as much as
 * asking for thousands. No byte is given twice.
 *
 * @param randomBytes as node:crypto's
 */
export function createRandomPool(
  randomBytes: (size: number) => Uint8Array,
  poolBytes = 4_096,
): (size: number) => Uint8Array {
  let pool = new Uint8Array();
  return (size) => {
    if (size > poolBytes) return randomBytes(size);
    // Copied out of a Buffer: parts of a plain array are cheaper to make.
    if (pool.length < size) pool = new Uint8Array(randomBytes(poolBytes));
    const taken = pool.subarray(0, size);
    pool = pool.subarray(size);
    return taken;
  };
}
