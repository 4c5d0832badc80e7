import { expect, test } from 'bun:test';
import { createRecentMap } from '../../src/lib/recent-map.ts';

test('what is used goes on being there, and what was not used for long is forgotten', () => {
  let made = 0;
  const map = createRecentMap<string, { n: number }>(() => ({ n: ++made }), 10);
  const kept = map.use('kept');
  for (let n = 0; n < 1_000; n += 1) {
    map.use(`other ${n}`);
    if (n % 8 === 0) expect(map.use('kept')).toBe(kept);
    expect(map.entries().length).toBeLessThanOrEqual(20);
  }
  expect(map.find('other 0')).toBeUndefined();
  // The last ones are all there.
  for (let n = 992; n < 1_000; n += 1) expect(map.find(`other ${n}`)).toBeDefined();
  expect(map.use('other 0').n).toBeGreaterThan(1_000);
});

test('each key is told once', () => {
  const map = createRecentMap<number, object>(() => ({}), 3);
  for (const key of [1, 2, 3, 4, 1, 5, 2, 1]) map.use(key);
  const keys = map.entries().map(([key]) => key);
  expect(keys.length).toBe(new Set(keys).size);
});
