import { expect, test } from 'bun:test';
import { createRandomPool } from '../../src/lib/random-pool.ts';

/** Counts up, so that every byte tells where it came from. */
function countingBytes() {
  let next = 0;
  const asked: number[] = [];
  const randomBytes = (size: number) => {
    asked.push(size);
    return Uint8Array.from({ length: size }, () => next++ % 256);
  };
  return { randomBytes, asked };
}

test('no byte is given twice, and the source is asked once for many', () => {
  const { randomBytes, asked } = countingBytes();
  const take = createRandomPool(randomBytes, 64);
  const taken = [16, 16, 16, 8].flatMap((size) => [...take(size)]);
  expect(taken).toEqual(Array.from({ length: 56 }, (_, index) => index));
  expect(asked).toEqual([64]);
  // Eight are left, which are too few: they are dropped, not mixed.
  expect([...take(16)]).toEqual(Array.from({ length: 16 }, (_, index) => 64 + index));
  expect(asked).toEqual([64, 64]);
});

test('more than the stock holds comes from the source itself', () => {
  const { randomBytes, asked } = countingBytes();
  expect(createRandomPool(randomBytes, 8)(20)).toHaveLength(20);
  expect(asked).toEqual([20]);
});
