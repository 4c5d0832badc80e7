import { expect, test } from 'bun:test';
import { createProgress } from '../../../src/roles/up/progress.ts';

function recorded(isTerminal: boolean) {
  const written: string[] = [];
  let nowMs = 0;
  const progress = createProgress({ write: (text) => written.push(text), isTerminal, clock: () => nowMs });
  const advance = (ms: number) => {
    nowMs += ms;
  };
  return { written, progress, advance };
}

test('a step shows that it has begun, and then how it ended', async () => {
  const { written, progress, advance } = recorded(true);
  await progress.step('starting PostgreSQL', async () => advance(1_200));
  expect(written).toEqual(['● starting PostgreSQL …', '  ok 1.2 s\n']);
});

test('in a file a step is one whole line', async () => {
  const { written, progress } = recorded(false);
  await progress.step(
    'migrating',
    async () => 3,
    (count) => `${count} applied`,
  );
  expect(written).toEqual(['● migrating …  3 applied 0.0 s\n']);
});

test('a step that fails says so and passes its error on', async () => {
  const { written, progress } = recorded(false);
  const failure = new Error('no disk');
  await expect(progress.step('migrating', () => Promise.reject(failure))).rejects.toBe(failure);
  expect(written).toEqual(['● migrating …  failed\n']);
});
