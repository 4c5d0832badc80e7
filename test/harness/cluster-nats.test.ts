import { expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findClusterNats } from './cluster-nats.ts';
import { tempFolder } from './temp-folder.ts';

const hasApt = Bun.which('apt-get') !== null;

/** Debian's releases, signed by nobody; it counts who asks. */
function unsignedSite() {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) => {
      const { pathname } = new URL(url);
      asked.push(pathname);
      const release =
        'Origin: Debian\nSuite: stable\nCodename: trixie\nComponents: main\nDate: Sat, 01 Nov 2025 00:00:00 UTC\n';
      return pathname.endsWith('/Release') ? new Response(release) : new Response('', { status: 404 });
    },
  });
  return {
    site: `http://127.0.0.1:${server.port}/debian`,
    asked,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

test.skipIf(!hasApt)(
  'without a nats-server for clusters the tests are skipped on somebody’s machine, and fail in CI, where the error says why',
  async () => {
    using folder = tempFolder('programs');
    const nowhere = {
      path: folder.path,
      programs: join(folder.path, 'p'),
      site: 'http://127.0.0.1:1/debian',
      attempts: 1,
    };
    expect(await findClusterNats({ ...nowhere, ci: false })).toBeUndefined();
    await expect(findClusterNats({ ...nowhere, ci: true })).rejects.toThrow(
      /need nats-server 2\.10\.0 or newer first on the PATH.*trixie: apt-get update failed: .*127\.0\.0\.1/s,
    );
    expect(readdirSync(folder.path)).toEqual([]);
  },
);

test.skipIf(!hasApt)(
  'a release that Debian has not signed is not taken, and is asked for again before that',
  async () => {
    using folder = tempFolder('programs');
    using debian = unsignedSite();
    const programs = join(folder.path, 'p');
    const found = findClusterNats({ ci: true, path: folder.path, programs, site: debian.site, attempts: 2 });
    await expect(found).rejects.toThrow(/is not signed/);
    expect(debian.asked.filter((path) => path.endsWith('/trixie/InRelease'))).toHaveLength(2);
    expect(existsSync(programs)).toBe(false);
  },
);
