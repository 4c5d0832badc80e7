import { expect, test } from 'bun:test';
import { Registry } from 'prom-client';
import { createTalliedCounter } from '../../src/observe/tallied-counter.ts';

const lines = async (registry: Registry) =>
  (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('every scrape shows all that was counted so far, by labels', async () => {
  const registry = new Registry();
  const counter = createTalliedCounter({
    name: 'things_total',
    help: 'Things.',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  });
  expect(await lines(registry)).toEqual([]);
  counter.inc('a', 'good');
  counter.inc('a', 'good');
  counter.inc('a', 'bad');
  expect(await lines(registry)).toEqual([
    'things_total{kind="a",outcome="good"} 2',
    'things_total{kind="a",outcome="bad"} 1',
  ]);
  counter.inc('a', 'good');
  expect(await lines(registry)).toContain('things_total{kind="a",outcome="good"} 3');
  expect(await lines(registry)).toContain('things_total{kind="a",outcome="bad"} 1');
});

test('one label is enough', async () => {
  const registry = new Registry();
  const counter = createTalliedCounter({ name: 'n', help: 'N.', labelNames: ['x'], registers: [registry] });
  counter.inc('1');
  expect(await lines(registry)).toEqual(['n{x="1"} 1']);
});
