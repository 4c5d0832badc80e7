import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const examples = resolve(import.meta.dir, '../../examples');

/** Debian's packages for Python are for Debian's Python, which another may hide on the PATH. */
export const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** One example device or tap: how it is started, and what has to be there for it. */
export interface Example {
  readonly name: string;
  readonly command: readonly string[];
  /** A command that succeeds where the example can run. */
  readonly needs: readonly string[];
  /** Its readings outlive it. */
  readonly survivesRestart?: boolean;
}

export const httpDevices = (buildFolder: string): readonly Example[] => [
  {
    name: 'python/http_device.py',
    command: [python, join(examples, 'python/http_device.py')],
    needs: [python, '-c', 'import sqlite3'],
    survivesRestart: true,
  },
  {
    name: 'c/device.c',
    command: [join(buildFolder, 'device')],
    needs: ['make', '-C', join(examples, 'c'), `OUT=${buildFolder}`],
  },
  {
    name: 'shell/device.sh',
    command: ['sh', join(examples, 'shell/device.sh')],
    needs: ['curl', '--version'],
    survivesRestart: true,
  },
];

export const mqttDevice: Example = {
  name: 'python/mqtt_device.py',
  command: [python, join(examples, 'python/mqtt_device.py')],
  needs: [python, '-c', 'import paho.mqtt.client'],
};

export const tap: Example = {
  name: 'tap/tap.ts',
  command: [process.execPath, join(examples, 'tap/tap.ts')],
  needs: ['true'],
};

/** Whether the example can run here. Where everything must run (CI) what is missing is an error. */
export function canRun({ name, needs }: Example): boolean {
  const [command = '', ...args] = needs;
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return true;
  const why = `examples/${name} cannot run here: ${needs.join(' ')}: ${error?.message ?? stderr}`;
  if (process.env.CI === 'true') throw new Error(why);
  console.error(`skipped: ${why}`);
  return false;
}

export interface RunningExample {
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<number>;
  /** The end of it and of what it has started. */
  [Symbol.asyncDispose](): Promise<void>;
}

export function runExample(
  { command }: Example,
  env: Readonly<Record<string, string>>,
  folder: string,
): RunningExample {
  const child = Bun.spawn([...command], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    // A process group of its own, to end with all that it has started.
    detached: true,
  });
  const written = { stdout: '', stderr: '' };
  const collect = async (name: 'stdout' | 'stderr') => {
    const decoder = new TextDecoder();
    for await (const chunk of child[name]) written[name] += decoder.decode(chunk, { stream: true });
  };
  const ended = Promise.all([child.exited, collect('stdout'), collect('stderr')]);
  return {
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    exited: ended.then(([code]) => code),
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of the group has ended by itself.
      }
      await ended;
    },
  };
}
