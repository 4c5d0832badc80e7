import { expect, test } from 'bun:test';
import { withDeadline } from '../../src/lib/deadline.ts';

const never = () => new Promise<never>(() => undefined);
const late = (): never => {
  throw new Error('too late');
};

test('what settles in time comes through, good or bad', async () => {
  expect(await withDeadline(Promise.resolve(1), 60_000, late)).toBe(1);
  await expect(withDeadline(Promise.reject(new Error('own')), 60_000, late)).rejects.toThrow('own');
});

test('what does not settle ends as onTimeout says: a value or an error', async () => {
  expect(await withDeadline(never(), 1, () => 'timeout')).toBe('timeout');
  await expect(withDeadline(never(), 1, late)).rejects.toThrow('too late');
});

test('a failure after the deadline is no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const { promise, reject } = Promise.withResolvers<never>();
  expect(await withDeadline(promise, 1, () => 'timeout')).toBe('timeout');
  reject(new Error('afterwards'));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

test('no timer keeps the process alive once the promise has settled', async () => {
  const script = `import { withDeadline } from './src/lib/deadline.ts';
    await withDeadline(Promise.resolve(), 600_000, () => undefined);
    await withDeadline(Promise.reject(new Error()), 600_000, () => undefined).catch(() => undefined);`;
  const child = Bun.spawn([process.execPath, '-e', script], { cwd: `${import.meta.dir}/../..` });
  expect(await child.exited).toBe(0);
});
