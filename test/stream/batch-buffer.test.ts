import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { BatchBuffer } from '../../src/stream/batch-buffer.ts';

function bufferOf(batchSize: number, lingerMs: number, maxBatchBytes = Number.POSITIVE_INFINITY) {
  let taken = 0;
  const buffer = new BatchBuffer<number>({
    batchSize,
    maxBatchBytes,
    bytesOf: (item) => item,
    lingerMs,
    clock: () => performance.now(),
    onTaken: () => taken++,
  });
  return { buffer, taken: () => taken };
}

test('a full batch comes at once, what is over stays', async () => {
  const { buffer, taken } = bufferOf(3, 60_000);
  for (let n = 0; n < 4; n++) buffer.push(n);
  expect(await buffer.next()).toEqual([0, 1, 2]);
  expect([buffer.length, taken()]).toEqual([1, 1]);
  const next = buffer.next();
  buffer.push(4);
  buffer.push(5);
  expect(await next).toEqual([3, 4, 5]);
  buffer.close();
});

test('a batch that does not fill comes when its oldest item has waited long enough', async () => {
  const { buffer } = bufferOf(100, 30);
  const before = performance.now();
  buffer.push(1);
  expect(await buffer.next()).toEqual([1]);
  expect(performance.now() - before).toBeGreaterThanOrEqual(28);
  buffer.close();
});

test('those who wait are served in turn, and all are told of the end', async () => {
  const { buffer } = bufferOf(1, 0);
  const waiting = [buffer.next(), buffer.next(), buffer.next()];
  buffer.push(1);
  buffer.push(2);
  expect(await Promise.all(waiting.slice(0, 2))).toEqual([[1], [2]]);
  expect(buffer.close()).toEqual([]);
  expect(await waiting[2]).toBeUndefined();
  expect(await buffer.next()).toBeUndefined();
});

test('whatever the timing, everything comes once, in order, in batches of the size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
      async (batchSize, takers, bursts) => {
        const { buffer } = bufferOf(batchSize, 0);
        const got: number[] = [];
        const take = async () => {
          for (let batch = await buffer.next(); batch !== undefined; batch = await buffer.next()) {
            expect(batch.length).toBeWithin(1, batchSize + 1);
            got.push(...batch);
          }
        };
        const running = Array.from({ length: takers }, take);
        let pushed = 0;
        for (const burst of bursts) {
          for (let n = 0; n < burst; n++) buffer.push(pushed++);
          await new Promise<void>((resolve) => setImmediate(resolve));
        }
        got.push(...buffer.close());
        await Promise.all(running);
        expect(got.toSorted((a, b) => a - b)).toEqual(Array.from({ length: pushed }, (_, n) => n));
      },
    ),
    { numRuns: 50 },
  );
});

test('a batch is full in bytes, too; what is larger by itself comes alone', async () => {
  const { buffer } = bufferOf(100, 60_000, 10);
  for (const size of [4, 4, 4, 25, 1, 9, 3]) buffer.push(size);
  expect(buffer.bytes).toBe(50);
  const batches = [];
  for (let n = 0; n < 4; n++) batches.push(await buffer.next());
  expect(batches).toEqual([[4, 4], [4], [25], [1, 9]]);
  expect([buffer.bytes, buffer.length]).toEqual([3, 1]);
  expect(buffer.close()).toEqual([3]);
  expect(buffer.bytes).toBe(0);
});
