import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { canCluster } from '../../src/stream/durability.ts';

/** The first release of Debian whose nats-server keeps replicas the same; the program runs on older ones, too. */
const release = 'trixie';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const cache = resolve(import.meta.dir, '../../node_modules/.cache');
const programs = join(cache, `programs-${release}`);

/**
 * The folder of a nats-server that may run in a cluster: on the PATH, fetched earlier, or else unpacked now from a later
 * release of Debian. Undefined where it cannot be had.
 */
export async function findClusterNats(): Promise<string | undefined> {
  const onPath = Bun.which('nats-server', { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/bin` });
  if (onPath !== null && canCluster(versionOf(onPath))) return resolve(onPath, '..');
  const folder = join(programs, 'usr', 'sbin');
  if (!existsSync(join(folder, 'nats-server'))) await unpackFromLaterRelease('nats-server');
  return existsSync(join(folder, 'nats-server')) ? folder : undefined;
}

function versionOf(binary: string): string {
  const output = Bun.spawnSync([binary, '--version']).stdout.toString();
  return /v(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? 'unknown';
}

/** With lists of its own, so that the system's apt knows nothing of the other release. */
async function unpackFromLaterRelease(name: string): Promise<void> {
  const site = debianSite();
  if (site === undefined || !existsSync(keyring)) return;
  // Two test files may do this at once: each in a folder of its own, and what is there first stays.
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'apt-'));
  for (const part of ['lists/partial', 'cache/archives/partial', 'packages', 'unpacked'])
    mkdirSync(join(work, part), { recursive: true });
  const sources = join(work, 'sources.list');
  writeFileSync(sources, `deb [signed-by=${keyring}] ${site} ${release} main\n`);
  const own = {
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(own).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const packages = join(work, 'packages');
  try {
    await run(['apt-get', ...options, 'update', '-q']);
    await run(['apt-get', ...options, 'download', '-q', `${name}/${release}`], packages);
    const unpacked = join(work, 'unpacked');
    for (const file of readdirSync(packages)) await run(['dpkg', '-x', join(packages, file), unpacked]);
    if (!existsSync(join(unpacked, 'usr'))) return;
    try {
      renameSync(unpacked, programs);
    } catch (error) {
      if (!existsSync(programs)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where this system has its own packages from. */
function debianSite(): string | undefined {
  if (Bun.which('apt-get') === null) return undefined;
  const wanted = ['apt-get', 'indextargets', '--format', '$(ORIGIN) $(REPO_URI)', 'Created-By: Packages'];
  const targets = Bun.spawnSync(wanted).stdout.toString().split('\n');
  const own = targets.find((line) => line.startsWith('Debian ') && !line.includes('security'));
  return own?.slice('Debian '.length);
}

async function run(command: readonly string[], cwd?: string): Promise<void> {
  const child = Bun.spawn([...command], {
    stdio: ['ignore', 'ignore', 'ignore'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  await child.exited;
}
