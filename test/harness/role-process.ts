import { resolve } from 'node:path';
import { until } from './until.ts';

export type RoleName = 'gateway' | 'mqtt' | 'mqtt-bridge' | 'worker' | 'delivery' | 'console';

export interface RoleProcess {
  readonly role: RoleName;
  readonly pid: number;
  /** All that it has logged so far. */
  log(): string;
  /** Of a door: the port it listens on. */
  readonly port: number;
  /** SIGTERM, and wait for the end. @returns the exit code. */
  stop(): Promise<number>;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

const main = resolve(import.meta.dir, '../../src/cli/main.ts');
const isolated = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/root', NO_COLOR: '1' };

/** A role as a process of its own, as users run it. Resolves when it says that it is ready. */
/** @param program another version's `main.ts` */
export async function startRole(
  role: RoleName,
  env: Readonly<Record<string, string>>,
  program = main,
): Promise<RoleProcess> {
  const child = Bun.spawn([process.execPath, program, role], {
    env: { ...isolated, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let log = '';
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) log += decoder.decode(chunk, { stream: true });
  };
  void collect(child.stdout);
  void collect(child.stderr);
  const ready = () => readyLine(log);
  await until(() => ready() ?? (child.exitCode !== null && 'exited'), {
    what: `${role} is ready`,
    timeoutMs: 20_000,
  });
  const line = ready();
  if (line === undefined) throw new Error(`${role} ended with ${child.exitCode}:\n${log}`);
  return {
    role,
    pid: child.pid,
    log: () => log,
    port: line.port ?? 0,
    async stop() {
      child.kill('SIGTERM');
      return child.exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
    signal: (signal) => child.kill(signal),
  };
}

function readyLine(log: string): { readonly port?: number } | undefined {
  const line = log.split('\n').find((each) => each.includes('"event":"ready"'));
  return line === undefined ? undefined : (JSON.parse(line) as { port?: number });
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the CLI to its end. */
export async function runTributary(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  program = main,
): Promise<CliResult> {
  const child = Bun.spawn([process.execPath, program, ...args], {
    env: { ...isolated, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}
