import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const policyFile = '/usr/sbin/policy-rc.d';

/** Debian and what is made from it (Ubuntu, Raspberry Pi OS, …), with apt. */
export function isDebian(): boolean {
  if (Bun.which('apt-get') === null || !existsSync('/etc/os-release')) return false;
  return /^(ID|ID_LIKE)=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/**
 * Installs packages for the whole system; root only. The servers among them are neither started nor enabled: we run
 * our own, and nobody asked for one on the port that everybody uses.
 * @throws Error with apt's last lines.
 */
export async function installSystemPackages(names: readonly string[]): Promise<void> {
  const denyStarts = !existsSync(policyFile);
  if (denyStarts) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const install = ['install', '-y', '-q', '--no-install-recommends', ...names];
    if ((await apt(install)).code !== 0) {
      // The list of packages may be missing or old, as in a fresh container.
      await apt(['update', '-q']);
      const second = await apt(install);
      if (second.code !== 0)
        throw new Error(`apt-get install ${names.join(' ')} failed: ${second.lastLines}`);
    }
  } finally {
    if (denyStarts) rmSync(policyFile, { force: true });
  }
  if (!existsSync('/run/systemd/system')) return;
  for (const name of names) await run(['systemctl', 'disable', '--now', name]);
}

/**
 * Without root: fetches a package and unpacks it into a folder, with package lists of its own where the system's are
 * missing.
 * @throws Error with apt's last lines.
 */
export async function unpackPackage(name: string, into: string): Promise<void> {
  const work = join(into, 'apt');
  rmSync(work, { recursive: true, force: true });
  for (const part of ['lists/partial', 'cache/archives/partial', 'packages']) {
    mkdirSync(join(work, part), { recursive: true });
  }
  const packages = join(work, 'packages');
  try {
    let fetched = await apt(['download', '-q', name], [], packages);
    if (fetched.code !== 0) {
      const ownLists = [
        '-o',
        `Dir::State::lists=${join(work, 'lists')}`,
        '-o',
        `Dir::Cache=${join(work, 'cache')}`,
      ];
      await apt(['update', '-q'], ownLists);
      fetched = await apt(['download', '-q', name], ownLists, packages);
    }
    const [file] = readdirSync(packages).filter((each) => each.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get download ${name} failed: ${fetched.lastLines}`);
    const unpacked = await run(['dpkg', '-x', join(packages, file), into]);
    if (unpacked.code !== 0) throw new Error(`dpkg -x ${file} failed: ${unpacked.lastLines}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Ended {
  readonly code: number;
  readonly lastLines: string;
}

function apt(args: readonly string[], options: readonly string[] = [], cwd?: string): Promise<Ended> {
  return run(['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C', 'apt-get', ...options, ...args], cwd);
}

async function run(command: readonly string[], cwd?: string): Promise<Ended> {
  const child = Bun.spawn([...command], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [errors, code] = await Promise.all([child.stderr.text(), child.exited]);
  return { code, lastLines: errors.trim().split('\n').slice(-3).join('; ') };
}
