import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { InOrder } from '../../../src/sources/mqtt/in-order.ts';

test('whatever gets ready first, all finish in the order in which they began', () => {
  const order = fc.integer({ min: 1, max: 20 }).chain((size) => {
    const all = Array.from({ length: size }, (_, index) => index);
    return fc.shuffledSubarray(all, { minLength: size });
  });
  fc.assert(
    fc.property(order, (readyOrder) => {
      const line = new InOrder();
      const places = readyOrder.map(() => line.begin());
      const finished: number[] = [];
      for (const index of readyOrder) {
        const place = places[index];
        if (place !== undefined) line.ready(place, () => finished.push(index));
      }
      expect(finished).toEqual([...readyOrder].sort((a, b) => a - b));
    }),
  );
});
