import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installSystemPackages, isDebian, unpackPackage } from './debian-packages.ts';
import type { Progress } from './progress.ts';
import { UpError } from './up-error.ts';

/** JetStream's consumer API as we use it. */
const oldestNatsVersion = '2.9.0';

export interface NatsBinaryOptions {
  /** The PATH to look in; the folders for servers, which are often only on root's, are looked in as well. */
  readonly searchPath: string;
  /** Where the program is unpacked when it cannot be installed. */
  readonly programsDir: string;
  readonly progress: Pick<Progress, 'step'>;
  /** Default: `oldestNatsVersion`. */
  readonly oldest?: string;
}

/**
 * The `nats-server` program: on the PATH, unpacked earlier, or else installed now where that can be done.
 * @throws UpError that says how to get it.
 */
export async function findNatsServer(options: NatsBinaryOptions): Promise<string> {
  const found = lookForNatsServer(options);
  const { oldest = oldestNatsVersion } = options;
  if (found !== undefined) return checkedVersion(found, oldest);
  if (!isDebian()) throw new UpError(howToGetIt('nats-server is not on the PATH'));
  const { progress, programsDir } = options;
  try {
    if (process.getuid?.() === 0) {
      await progress.step('installing nats-server (apt-get)', () => installSystemPackages(['nats-server']));
    } else {
      await progress.step('unpacking nats-server (apt-get download)', () =>
        unpackPackage('nats-server', programsDir),
      );
    }
  } catch (error) {
    throw new UpError(howToGetIt((error as Error).message), { cause: error });
  }
  const installed = lookForNatsServer(options);
  if (installed === undefined) throw new UpError(howToGetIt('apt-get brought no nats-server'));
  return checkedVersion(installed, oldest);
}

function lookForNatsServer({ searchPath, programsDir }: NatsBinaryOptions): string | undefined {
  const onPath = Bun.which('nats-server', { PATH: `${searchPath}:/usr/local/bin:/usr/local/sbin:/usr/sbin` });
  if (onPath !== null) return onPath;
  return ['usr/sbin', 'usr/bin']
    .map((folder) => join(programsDir, folder, 'nats-server'))
    .find((file) => existsSync(file));
}

function checkedVersion(binary: string, oldest: string): string {
  const output = Bun.spawnSync([binary, '--version']).stdout.toString();
  const version = /v(\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (version === undefined) throw new UpError(howToGetIt(`${binary} does not run`));
  if (Bun.semver.order(version, oldest) < 0) {
    throw new UpError(howToGetIt(`${binary} is ${version}, ${oldest} or newer is needed`));
  }
  return binary;
}

function howToGetIt(why: string): string {
  return `${why}. Debian: apt-get install nats-server; macOS: brew install nats-server; Docker: docker run -p 4222:4222 nats -js, then start with NATS_URL=nats://localhost:4222.`;
}
