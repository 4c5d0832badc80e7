import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wrapCommand } from '../../src/roles/up/child-process.ts';

/** A program under measurement, in a process of its own. */
export interface Program {
  readonly name: string;
  readonly pid: number;
  /** Of what listens: the port. */
  readonly port: number;
  log(): string;
  /** SIGTERM, and wait for the end; SIGKILL when it does not come. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where its output goes: a file does not make it wait for us. */
  readonly folder: string;
}

const readyWithinMs = 60_000;
const stopWithinMs = 20_000;

/** Resolves when the program prints a JSON line with `"event":"ready"`. @throws Error with its output when it ends before */
export async function startProgram({ name, command, env, folder }: ProgramOptions): Promise<Program> {
  const logFile = join(folder, `${name}-${crypto.randomUUID().slice(0, 8)}.log`);
  const child = Bun.spawn([...wrapCommand({ command, signalWhenParentDies: 'TERM' })], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/root', NO_COLOR: '1', ...env },
    stdin: 'ignore',
    stdout: Bun.file(logFile),
    stderr: 'inherit',
  });
  const log = () => readFileSync(logFile, 'utf8');
  const deadline = performance.now() + readyWithinMs;
  let ready: ReadyLine | undefined;
  while (ready === undefined) {
    ready = readyLine(log());
    if (ready !== undefined) break;
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${log()}`);
    if (performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} was not ready within ${readyWithinMs} ms:\n${log()}`);
    }
    await Bun.sleep(20);
  }
  return {
    name,
    pid: child.pid,
    port: ready.port ?? 0,
    log,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
      await child.exited;
      clearTimeout(late);
    },
  };
}

interface ReadyLine {
  readonly port?: number;
}

function readyLine(log: string): ReadyLine | undefined {
  const line = log.split('\n').find((each) => each.includes('"event":"ready"'));
  return line === undefined ? undefined : (JSON.parse(line) as ReadyLine);
}
