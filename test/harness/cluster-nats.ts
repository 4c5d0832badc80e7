import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { canCluster, oldestForClusters } from '../../src/stream/durability.ts';
import { unpackFromLaterRelease } from './later-release.ts';

/**
 * Releases of Debian whose nats-server keeps replicas the same, the first tried first; the program runs on older ones, too. 2.10,
 * in trixie, never answers for some messages again that a killed leader had in hand: docs/proof.md.
 */
const releases = ['sid', 'trixie'];
const cache = resolve(import.meta.dir, '../../node_modules/.cache');

export interface ClusterNatsOptions {
  /** Where a machine must have all that the tests need: nothing is skipped. */
  readonly ci: boolean;
  readonly path: string;
  /** Where it is unpacked. */
  readonly programs: string;
  readonly site?: string;
  readonly attempts?: number;
}

const defaults: ClusterNatsOptions = {
  ci: process.env.CI === 'true',
  path: `${process.env.PATH}:/usr/sbin:/usr/local/bin`,
  programs: join(cache, `programs-${releases[0]}`),
};

/**
 * The folder of a nats-server that may run in a cluster: on the PATH, fetched earlier, or else unpacked now from a later
 * release of Debian. Undefined where it cannot be had, and the tests that need it are skipped.
 * @throws Error in CI, where it must be had
 */
export async function findClusterNats(
  options: Partial<ClusterNatsOptions> = {},
): Promise<string | undefined> {
  const { ci, path, programs, ...fetching } = { ...defaults, ...options };
  const onPath = Bun.which('nats-server', { PATH: path });
  if (onPath !== null && canCluster(versionOf(onPath))) return resolve(onPath, '..');
  const folder = join(programs, 'usr', 'sbin');
  const isThere = () => existsSync(join(folder, 'nats-server'));
  if (isThere()) return folder;
  const why = await unpackFromLaterRelease({ name: 'nats-server', releases, into: programs, ...fetching });
  if (isThere()) return folder;
  const what =
    `tests of a cluster need nats-server ${oldestForClusters} or newer first on the PATH; ` +
    `it is not there, and could not be had from a later Debian: ${why}`;
  if (ci) throw new Error(what);
  console.error(`skipped: ${what}`);
  return undefined;
}

function versionOf(binary: string): string {
  const output = Bun.spawnSync([binary, '--version']).stdout.toString();
  return /v(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? 'unknown';
}
