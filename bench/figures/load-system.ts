import { standardFleet } from '../load/fleet.ts';
import type { Door, LoadResult } from '../load/load-spec.ts';
import { type LoadHooks, runLoad } from '../load/run-load.ts';
import type { Backend } from '../measure/backend.ts';
import type { System } from '../measure/system.ts';
import type { Bench } from './figure.ts';

export type DoorKind = 'single' | 'batch' | 'mqtt';

export interface Watched {
  readonly load: LoadResult;
  /** Messages waiting in the stream, every 100 ms. */
  readonly backlog: readonly number[];
}

/** Loads a whole system at a fixed rate and watches its backlog. */
export async function loadAndWatch(
  { backend, effort }: Bench,
  system: System,
  kind: DoorKind,
  messagesPerSecond: number,
  measureMs: number,
  hooks: LoadHooks = {},
): Promise<Watched> {
  const backlog: number[] = [];
  let watching: ReturnType<typeof setInterval> | undefined;
  const load = await runLoad(
    {
      door: doorOf(system, kind),
      fleet: standardFleet,
      pace: { kind: 'open', messagesPerSecond },
      warmUpMs: effort.quick ? 500 : 1_000,
      measureMs,
    },
    {
      onMeasuring: () => {
        hooks.onMeasuring?.();
        watching = setInterval(() => void backend.backlog().then((messages) => backlog.push(messages)), 100);
      },
      onMeasured: () => {
        clearInterval(watching);
        hooks.onMeasured?.();
      },
    },
  );
  return { load, backlog };
}

export function doorOf({ httpPort, mqttPort }: System, kind: DoorKind): Door {
  if (kind === 'single') return { kind, port: httpPort, connections: 64 };
  if (kind === 'batch') return { kind, port: httpPort, connections: 16, batchSize: 100 };
  return { kind, port: mqttPort, connections: 100, window: 10 };
}

/** Canaries come and go. */
const nearlyNothing = 50;
const emptyWithinMs = 120_000;

/** Waits until the worker has caught up. @throws Error when it does not */
export async function emptied(backend: Pick<Backend, 'backlog'>): Promise<void> {
  const deadline = performance.now() + emptyWithinMs;
  for (;;) {
    const left = await backend.backlog();
    if (left < nearlyNothing) return;
    if (performance.now() > deadline)
      throw new Error(`${left} messages were still waiting after ${emptyWithinMs} ms`);
    await Bun.sleep(50);
  }
}
