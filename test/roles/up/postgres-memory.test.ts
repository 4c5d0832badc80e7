import { expect, test } from 'bun:test';
import { totalmem } from 'node:os';
import { memoryHere, sharedBuffersFor } from '../../../src/roles/up/postgres-memory.ts';

const GiB = 1024 ** 3;

test('PostgreSQL gets an eighth of the memory, between its own default and what a million devices need', () => {
  expect(sharedBuffersFor(GiB / 4)).toBe('128MB');
  expect(sharedBuffersFor(GiB)).toBe('128MB');
  expect(sharedBuffersFor(4 * GiB)).toBe('512MB');
  expect(sharedBuffersFor(24 * GiB)).toBe('2048MB');
});

test('any number of bytes becomes a whole number that PostgreSQL can read', () => {
  expect(sharedBuffersFor(5_000_000_001)).toBe('596MB');
});

test('what may be used here is no more than the machine has', () => {
  expect(memoryHere()).toBeGreaterThan(0);
  expect(memoryHere()).toBeLessThanOrEqual(totalmem());
});
