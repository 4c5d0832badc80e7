import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { processStart } from './process-info.ts';
import { UpError } from './up-error.ts';

export interface Lock {
  /** The process that left the lock behind, when one was taken over. */
  readonly takenOverFrom: number | undefined;
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly start: string;
}

/**
 * One `up` per data folder. The lock names its owner by process id and start: an id that another process has got
 * since, as after a power cut, does not count.
 * @throws UpError when a running `up` holds the lock.
 */
export function acquireLock(lockFile: string): Lock {
  const self: Owner = { pid: process.pid, start: processStart(process.pid) ?? '' };
  const own = `${lockFile}.${process.pid}`;
  writeFileSync(own, `${JSON.stringify(self)}\n`, { mode: 0o600 });
  try {
    return { takenOverFrom: takeLock(lockFile, own), release: () => releaseLock(lockFile, self) };
  } finally {
    rmSync(own, { force: true });
  }
}

/** Linking fails when the name exists, so of two that start at once only one gets it. */
function takeLock(lockFile: string, own: string): number | undefined {
  let takenOverFrom: number | undefined;
  for (;;) {
    try {
      linkSync(own, lockFile);
      return takenOverFrom;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const text = readLock(lockFile);
    if (text === undefined) continue;
    const owner = parseOwner(text);
    if (owner !== undefined && isAlive(owner)) {
      throw new UpError(
        `Tributary is running already on ${dirname(lockFile)} (process ${owner.pid}): stop it, or set TRIBUTARY_DATA_DIR to another folder.`,
      );
    }
    moveStaleLockAway(lockFile, `${own}.stale`, text);
    takenOverFrom = owner?.pid ?? 0;
  }
}

/** Somebody else may have replaced the stale lock since we read it: then theirs goes back. */
function moveStaleLockAway(lockFile: string, aside: string, staleText: string): void {
  try {
    renameSync(lockFile, aside);
  } catch {
    return;
  }
  if (readLock(aside) !== staleText) linkSync(aside, lockFile);
  rmSync(aside);
}

function releaseLock(lockFile: string, self: Owner): void {
  const owner = parseOwner(readLock(lockFile) ?? '');
  if (owner?.pid === self.pid && owner.start === self.start) rmSync(lockFile, { force: true });
}

function isAlive(owner: Owner): boolean {
  return processStart(owner.pid) === owner.start;
}

function readLock(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** A lock that a power cut left empty or half written has no owner. */
function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('start' in value))
      return undefined;
    return typeof value.pid === 'number' && typeof value.start === 'string'
      ? { pid: value.pid, start: value.start }
      : undefined;
  } catch {
    return undefined;
  }
}
