import { expect, test } from 'bun:test';
import type { Progress } from '../../../src/roles/up/progress.ts';
import { createStages, type Stage } from '../../../src/roles/up/stages.ts';
import type { Supervisor } from '../../../src/roles/up/supervisor.ts';

const quiet: Progress = { step: (_what, work) => work(), note: () => {} };

/** A child that ends when it is asked to, or, if stubborn, only when it is killed. */
function child(name: string, events: string[], stubborn = false): Supervisor {
  const ended = Promise.withResolvers<void>();
  const end = (how: string) => {
    events.push(`${how} ${name}`);
    ended.resolve();
  };
  return {
    name,
    pid: () => undefined,
    stop: () => {
      if (!stubborn) end('stopped');
      return ended.promise;
    },
    kill: async () => end('killed'),
  };
}

test('doors stop before workers, workers before the servers they need, whatever was started first', async () => {
  const events: string[] = [];
  const stages = createStages();
  for (const stage of ['postgres', 'nats', 'delivery', 'workers', 'doors'] satisfies Stage[])
    stages.add(stage, child(stage, events));
  await stages.stop(quiet, new AbortController().signal);
  expect(events).toEqual(
    ['doors', 'workers', 'delivery', 'nats', 'postgres'].map((stage) => `stopped ${stage}`),
  );
});

test('hurry ends a stop that waits for a stubborn child', async () => {
  const events: string[] = [];
  const hurry = new AbortController();
  const stages = createStages();
  stages.add('doors', child('gateway', events, true));
  stages.add('workers', child('worker', events, true));
  const stopped = stages.stop(quiet, hurry.signal);
  expect(events).toEqual([]);
  hurry.abort();
  await stopped;
  expect(events.sort()).toEqual(['killed gateway', 'killed worker']);
});

test('a system that could not start whole stops what has started', async () => {
  const events: string[] = [];
  const stages = createStages();
  stages.add('nats', child('nats-server', events));
  await stages.stop(quiet, new AbortController().signal);
  expect(events).toEqual(['stopped nats-server']);
});
