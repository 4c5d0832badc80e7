import type { Progress } from './progress.ts';
import type { Supervisor } from './supervisor.ts';

/**
 * The order of an orderly stop: the doors stop accepting, the workers settle what they hold, delivery ends its
 * attempts, then the servers they need go.
 */
const stageOrder = ['doors', 'workers', 'delivery', 'nats', 'postgres'] as const;

export type Stage = (typeof stageOrder)[number];

export interface Stages {
  add(stage: Stage, supervisor: Supervisor): void;
  /** Stops everything, stage by stage; once `hurry` is aborted, everything that is left at once. */
  stop(progress: Progress, hurry: AbortSignal): Promise<void>;
}

export function createStages(): Stages {
  const supervisors = new Map<Stage, Supervisor[]>(stageOrder.map((stage) => [stage, []]));
  return {
    add: (stage, supervisor) => supervisors.get(stage)?.push(supervisor),
    stop: async (progress, hurry) => {
      const all = [...supervisors.values()].flat();
      const killAll = () => void Promise.all(all.map((supervisor) => supervisor.kill()));
      if (hurry.aborted) killAll();
      hurry.addEventListener('abort', killAll, { once: true });
      for (const stage of stageOrder) {
        const members = supervisors.get(stage) ?? [];
        if (members.length === 0) continue;
        const names = members.map(({ name }) => name).join(', ');
        await progress.step(`stopping ${names}`, () => Promise.all(members.map((member) => member.stop())));
      }
      hurry.removeEventListener('abort', killAll);
    },
  };
}
