import { expect, test } from 'bun:test';
import type { Figure } from '../../bench/figures/figure.ts';
import { efforts, parseBenchOptions } from '../../bench/options.ts';

const figure = (name: string, isLong = false): Figure => ({
  name,
  title: name,
  isLong,
  run: async () => ({ rows: [], notes: [] }),
});
const figures = [figure('a'), figure('b'), figure('slow', true)];
const names = (...argv: string[]) => parseBenchOptions(argv, figures).figures.map(({ name }) => name);

test('long figures run only when they are asked for', () => {
  expect(names()).toEqual(['a', 'b']);
  expect(names('--quick')).toEqual(['a', 'b']);
  expect(names('--all')).toEqual(['a', 'b', 'slow']);
  expect(names('--only', 'slow,a')).toEqual(['a', 'slow']);
});

test('with --quick a slow figure runs only when it is asked for', () => {
  const some = [figure('a'), { ...figure('slow'), isSlow: true }];
  const chosen = (...argv: string[]) => parseBenchOptions(argv, some).figures.map(({ name }) => name);
  expect(chosen()).toEqual(['a', 'slow']);
  expect(chosen('--quick')).toEqual(['a']);
  expect(chosen('--quick', '--only', 'slow')).toEqual(['slow']);
  expect(chosen('--quick', '--all')).toEqual(['a', 'slow']);
});

test('rounds replace those of the effort', () => {
  expect(parseBenchOptions(['--quick'], figures).effort).toEqual(efforts.quick);
  expect(parseBenchOptions(['--quick', '--rounds', '7'], figures).effort).toEqual({
    ...efforts.quick,
    rounds: 7,
  });
});

test('what cannot be understood is told, with what could', () => {
  expect(() => names('--only', 'c')).toThrow(/no such figure; there are a, b, slow/);
  expect(() => names('--rounds', '0')).toThrow(/1 to 100/);
  expect(() => names('--fast')).toThrow(/--fast/);
});

test('to publish is a run of its own: who gives more would wait for figures that are not measured', () => {
  expect(parseBenchOptions(['--publish'], figures).publish).toBe(true);
  expect(() => names('--only', 'a', '--publish')).toThrow(/--publish --only: --publish measures nothing/);
});
