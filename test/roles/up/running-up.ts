import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Instance, readInstance } from '../../../src/roles/up/instance.ts';
import { until } from '../../harness/until.ts';

export interface RunningUp {
  readonly pid: number;
  readonly exited: Promise<number>;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves when it says that it runs; fails when it ends before. */
  ready(): Promise<Instance>;
  signal(signal: NodeJS.Signals): void;
  /** Stops it when it runs still, and waits for its end. */
  [Symbol.asyncDispose](): Promise<void>;
}

const mainFile = join(import.meta.dir, '../../../src/cli/main.ts');

/** The real `up` with everything it starts, on ports of its own. */
export function startUp(dataDir: string, environment: Record<string, string> = {}): RunningUp {
  const child = Bun.spawn([process.execPath, mainFile, 'up'], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: {
      PATH: process.env.PATH,
      TMPDIR: process.env.TMPDIR,
      TRIBUTARY_DATA_DIR: dataDir,
      TRIBUTARY_HTTP_PORT: '0',
      TRIBUTARY_MQTT_PORT: '0',
      TRIBUTARY_CONSOLE_PORT: '0',
      ...environment,
    },
  });
  let text = '';
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const exited = child.exited.then(async (code) => {
    await collected;
    return code;
  });
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  return {
    pid: child.pid,
    exited,
    output: () => text,
    signal: (signal) => child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
    ready: async () => {
      await until(() => ended || text.includes('Tributary is running'), {
        what: 'up is ready',
        timeoutMs: 40_000,
      });
      const instance = readInstance(dataDir);
      if (ended || instance === undefined) throw new Error(`up did not start:\n${text}`);
      return instance;
    },
  };
}

/** The processes that an `up` has noted as running. */
export function runningChildren(dataDir: string): { name: string; pid: number; start: string }[] {
  return JSON.parse(readFileSync(join(dataDir, 'children.json'), 'utf8'));
}
