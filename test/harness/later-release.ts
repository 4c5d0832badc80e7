import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LaterReleaseOptions {
  /** Debian package. */
  readonly name: string;
  /** The package is looked for in these, one after the other. */
  readonly releases: readonly string[];
  /** Where it is unpacked: all of it, or nothing. */
  readonly into: string;
  /** Where Debian's packages come from; default: where this system has its own from. */
  readonly site?: string;
  /** How often each release is asked. */
  readonly attempts?: number;
}

/** Debian's own, of all its releases: apt takes nothing that none of these keys has signed. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const commandTimeoutMs = 120_000;
const betweenAttemptsMs = 2_000;

/**
 * Unpacks a package of a later release of Debian than this system's, with lists of its own, so that the system's apt knows
 * nothing of that release.
 * @returns why it could not be had; undefined: it is there
 */
export async function unpackFromLaterRelease(options: LaterReleaseOptions): Promise<string | undefined> {
  const { releases, attempts = 3, site = debianSite() } = options;
  if (Bun.which('apt-get') === null) return 'this is not Debian';
  if (site === undefined) return 'apt names no place that has Debian’s packages';
  if (!existsSync(keyring)) return `${keyring} is missing (apt-get install debian-archive-keyring)`;
  const failures: string[] = [];
  for (let attempt = 1; attempt <= attempts; attempt++) {
    for (const release of releases) {
      const why = await tryRelease(release, { ...options, attempts, site });
      if (why === undefined) return undefined;
      failures.push(`${release}: ${why}`);
    }
    if (attempt < attempts) await Bun.sleep(betweenAttemptsMs);
  }
  return failures.slice(-releases.length).join('; ');
}

async function tryRelease(
  release: string,
  { name, into, site, attempts = 1 }: LaterReleaseOptions & { readonly site: string },
): Promise<string | undefined> {
  // Two test files may do this at once: each in a folder of its own, and what is there first stays.
  const parent = join(into, '..');
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(join(parent, 'apt-'));
  try {
    const options = ownLists(work, `deb [signed-by=${keyring}] ${site} ${release} main\n`, attempts - 1);
    const packages = join(work, 'packages');
    const unpacked = join(work, 'unpacked');
    const why =
      (await failureOf(['apt-get', ...options, 'update', '-q'])) ??
      (await failureOf(['apt-get', ...options, 'download', '-q', `${name}/${release}`], packages));
    if (why !== undefined) return why;
    for (const file of readdirSync(packages)) {
      const whyNot = await failureOf(['dpkg', '-x', join(packages, file), unpacked]);
      if (whyNot !== undefined) return whyNot;
    }
    if (readdirSync(unpacked).length === 0) return `no package ${name}`;
    if (!existsSync(into)) renameSync(unpacked, into);
    return undefined;
  } catch (error) {
    return existsSync(into) ? undefined : String(error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function ownLists(work: string, sources: string, retries: number): string[] {
  for (const part of ['lists/partial', 'cache/archives/partial', 'packages', 'unpacked'])
    mkdirSync(join(work, part), { recursive: true });
  writeFileSync(join(work, 'sources.list'), sources);
  const own = {
    'Dir::Etc::SourceList': join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': String(retries),
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    // Left alone, apt calls it a success when it goes on with lists that it has, or has not.
    'APT::Update::Error-Mode': 'any',
  };
  return Object.entries(own).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** Where this system has its own packages from. */
function debianSite(): string | undefined {
  if (Bun.which('apt-get') === null) return undefined;
  const wanted = ['apt-get', 'indextargets', '--format', '$(ORIGIN) $(REPO_URI)', 'Created-By: Packages'];
  const targets = Bun.spawnSync(wanted).stdout.toString().split('\n');
  const own = targets.find((line) => line.startsWith('Debian ') && !line.includes('security'));
  return own?.slice('Debian '.length);
}

/** @returns what the command said at last; undefined: it succeeded */
async function failureOf(command: readonly string[], cwd?: string): Promise<string | undefined> {
  const child = Bun.spawn([...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
    timeout: commandTimeoutMs,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [said, code] = await Promise.all([child.stderr.text(), child.exited]);
  if (code === 0) return undefined;
  const lines = said.split('\n').filter((line) => /^(E|Err)[: ]/.test(line));
  const what = lines.slice(-2).join(' ') || `${code} without a word`;
  return `${command[0]} ${command.includes('update') ? 'update' : ''} failed: ${what}`.replace('  ', ' ');
}
