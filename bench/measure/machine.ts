import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import type { Servers } from './servers.ts';

/** What the figures were measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly bun: string;
  readonly node: string;
  readonly nats: string;
  readonly postgres: string;
  readonly commit: string;
}

export async function describeMachine(
  { natsBinary }: Servers,
  pool: { query(text: string): Promise<{ rows: { server_version: string }[] }> },
): Promise<Machine> {
  const [first] = cpus();
  const { rows } = await pool.query('show server_version');
  return {
    processor: first?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
    bun: Bun.version,
    node: firstLineOf('node', ['--version']),
    nats: firstLineOf(natsBinary, ['--version']).replace('nats-server: ', ''),
    postgres: rows[0]?.server_version ?? 'unknown',
    commit: firstLineOf('git', ['-C', import.meta.dir, 'describe', '--always', '--dirty']),
  };
}

function firstLineOf(command: string, args: readonly string[]): string {
  const { stdout, status } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? (stdout.split('\n')[0] ?? '') : 'unknown';
}
