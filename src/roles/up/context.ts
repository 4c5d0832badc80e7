import { join } from 'node:path';
import type { Config } from '../../config/settings.ts';
import { type ChildLedger, createChildLedger } from './child-list.ts';
import type { DataFolder } from './data-folder.ts';
import type { Progress } from './progress.ts';
import { createStages, type Stage, type Stages } from './stages.ts';
import { type Supervisor, type SupervisorOptions, startSupervisor } from './supervisor.ts';
import { UpError } from './up-error.ts';

/** What every part of `up` works with. */
export interface UpContext {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly progress: Progress;
  readonly searchPath: string;
  readonly stages: Stages;
  /** Rejects when a child cannot run and starting it again cannot help. */
  readonly fatal: Promise<never>;
  /** Starts a child as one step, looks after it from then on, and stops it in its stage's turn. */
  supervise(stage: Stage, child: SupervisedChild): Promise<Supervisor>;
}

export type SupervisedChild = Pick<SupervisorOptions, 'name' | 'start' | 'lastWords'>;

export function createContext(
  options: Pick<UpContext, 'config' | 'folder' | 'progress' | 'searchPath'>,
): UpContext {
  const { folder, progress } = options;
  const stages = createStages();
  const ledger: ChildLedger = createChildLedger(folder.childrenFile);
  const fatal = Promise.withResolvers<never>();
  // Nobody may be waiting at the moment; whoever waits next gets it.
  fatal.promise.catch(() => {});
  return {
    ...options,
    stages,
    fatal: fatal.promise,
    supervise: async (stage, child) => {
      const supervisor = await startSupervisor({
        ...child,
        logFile: logFileOf(folder, child.name),
        note: progress.note,
        onStarted: (process) => ledger.add(child.name, process.pid),
        onEnded: (process) => ledger.remove(process.pid),
        onFatal: (error) => fatal.reject(error),
      });
      stages.add(stage, supervisor);
      return supervisor;
    },
  };
}

export function logFileOf(folder: DataFolder, childName: string): string {
  return join(folder.logsDir, `${childName}.log`);
}

/**
 * Runs a step that may fail for reasons the user can mend: the message becomes a sentence without a stack, led by
 * what failed unless the message says that itself.
 */
export async function orUpError<T>(what: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UpError) throw error;
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    throw new UpError(what === undefined ? reason : `${what}: ${reason}`, { cause: error });
  }
}
