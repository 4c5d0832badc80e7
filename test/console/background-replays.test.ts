import { expect, test } from 'bun:test';
import type { ReplayRequest } from '../../src/console/background-replays.ts';
import { createBackgroundReplays } from '../../src/console/background-replays.ts';
import { silentLog } from '../store/with-database.ts';

const opened = { replayId: 7, total: 1, newestId: 1n };
const request = { selection: {}, vouch: false };

function world(run: (request: ReplayRequest) => Promise<unknown>) {
  const failures: [number, string][] = [];
  const replays = createBackgroundReplays({
    run: (_opened, given) => run(given),
    noteFailure: async (replayId, error) => void failures.push([replayId, error]),
    log: silentLog,
    maxAtOnce: 2,
  });
  return { replays, failures };
}

const problemOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
};

test('one of a tenant at a time, a few altogether, and a place is free again at the end', async () => {
  const end = Promise.withResolvers<void>();
  const { replays } = world(() => end.promise);
  replays.reserve('a').start(opened, request);
  const unused = replays.reserve(undefined);
  expect(problemOf(() => replays.reserve('a'))).toBe('conflict');
  expect(problemOf(() => replays.reserve('b'))).toBe('too_many_requests');
  unused.release();
  end.resolve();
  replays.reserve('b').release();
  await replays.drain();
  expect(problemOf(() => replays.reserve('a'))).toBe('unavailable');
});

test('one that fails says so, and the end of the process stops those that run', async () => {
  const { replays, failures } = world(({ stop }) => {
    const stopped = Promise.withResolvers<void>();
    stop.addEventListener('abort', () => stopped.reject(new Error('away')));
    return stopped.promise;
  });
  replays.reserve('a').start(opened, request);
  await replays.drain();
  expect(failures).toEqual([[7, 'failed: the log of the console says why']]);
});
