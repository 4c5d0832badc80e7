import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { insertDevices, post } from './harness/fleet.ts';
import { startTestNats } from './harness/nats.ts';
import { createTestDatabase } from './harness/postgres.ts';
import { type RoleName, type RoleProcess, runTributary, startRole } from './harness/role-process.ts';
import { tempFolder } from './harness/temp-folder.ts';
import { until } from './harness/until.ts';

const projectRoot = resolve(import.meta.dir, '..');
/** The commit that 0.1.0 was released from. */
const firstRelease = '69f7186';
const isAtHand = Bun.spawnSync(['git', 'cat-file', '-e', `${firstRelease}^{commit}`], {
  cwd: projectRoot,
  stderr: 'ignore',
}).success;
if (!isAtHand) {
  const why = `the history lacks ${firstRelease}, the first release: git fetch --unshallow`;
  if (process.env.CI === 'true') throw new Error(why);
  console.error(`skipped: the upgrade from the first release: ${why}`);
}

/** The program as it was, with today's packages: those it used are among them in the same versions. */
function checkOut(folder: string): string {
  mkdirSync(folder);
  const archive = Bun.spawnSync(['git', 'archive', firstRelease], { cwd: projectRoot });
  const unpacked = Bun.spawnSync(['tar', '-x', '-C', folder], { stdin: archive.stdout });
  if (!archive.success || !unpacked.success)
    throw new Error(`cannot unpack ${firstRelease}: ${archive.stderr}${unpacked.stderr}`);
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'src/cli/main.ts');
}

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };
const roomy = { ratePerSecond: 100_000, burst: 1_000_000 };

test.skipIf(!isAtHand)(
  'from the first release: migrated under load, both versions side by side, every yes is one row',
  async () => {
    using temp = tempFolder('upgrade');
    const oldMain = checkOut(join(temp.path, 'first'));
    const { version } = JSON.parse(readFileSync(join(temp.path, 'first/package.json'), 'utf8')) as {
      version: string;
    };
    expect(Bun.semver.order(packageJson.version, version)).toBe(1);
    await using database = await createTestDatabase({ migrated: false });
    await using nats = await startTestNats();
    const env = { NATS_URL: nats.url, DATABASE_URL: database.url, TRIBUTARY_HTTP_PORT: '0' };
    const migrateOld = await runTributary(['migrate', '--json'], env, oldMain);
    expect([migrateOld.code, migrateOld.stderr]).toEqual([0, '']);
    await insertDevices(database.pool, [device], roomy);
    await using roles = new AsyncDisposableStack();
    const start = async (role: RoleName, main?: string) => {
      const started = await startRole(role, env, main);
      roles.defer(async () => void (await started.stop()));
      return started;
    };
    const old = [
      await start('gateway', oldMain),
      await start('worker', oldMain),
      await start('delivery', oldMain),
    ];
    const doors: RoleProcess[] = old.slice(0, 1);

    let sending = true;
    let next = 0;
    const accepted = new Set<number>();
    const refused: string[] = [];
    const load = (async () => {
      while (sending) {
        const seq = next;
        next += 1;
        const door = doors[seq % doors.length];
        const body = { site_id: 's1', ts: Date.now(), seq, metrics: { n: seq } };
        try {
          const answer = await post(`http://127.0.0.1:${door?.port}`, device, body);
          if (answer.status === 202) accepted.add(seq);
          else refused.push(`${answer.status}`);
        } catch {
          // A door that stops; its answer is unknown.
          refused.push('none');
        }
      }
    })();
    const atLeast = (more: number) => {
      const goal = accepted.size + more;
      return until(() => accepted.size >= goal, {
        what: `${more} more messages accepted`,
        timeoutMs: 30_000,
      });
    };
    await atLeast(200);
    const migrated = await runTributary(['migrate', '--json'], env);
    expect([migrated.code, migrated.stderr]).toEqual([0, '']);
    expect((JSON.parse(migrated.stdout) as { applied: string[] }).applied).not.toBeEmpty();
    // The old version goes on, on the new schema.
    await atLeast(200);
    const today = [await start('gateway'), await start('worker'), await start('delivery')];
    doors.push(...today.slice(0, 1));
    await atLeast(400);
    doors.shift();
    for (const role of old) expect([role.role, await role.stop()]).toEqual([role.role, 0]);
    await atLeast(200);
    sending = false;
    await load;

    // Whatever was not answered yes may be there once.
    const rows = async () => {
      const found = await database.pool.query<{ seq: string }>('select seq from telemetry');
      return found.rows.map(({ seq }) => Number(seq));
    };
    const stored = await until(
      async () => {
        const seqs = new Set(await rows());
        return [...accepted].every((seq) => seqs.has(seq)) && rows();
      },
      { what: 'every message that was answered 202 is a row', timeoutMs: 30_000 },
    );
    expect(new Set(stored).size).toBe(stored.length);
    expect(refused.length).toBeLessThan(20);
    const { rows: quarantined } = await database.pool.query('select reason from quarantine');
    expect(quarantined).toEqual([]);
    const audit = await until(
      async () => {
        const told = await runTributary(['audit', '--json'], env);
        return (JSON.parse(told.stdout) as { in_flight: number }).in_flight === 0 && told;
      },
      { what: 'nothing is in flight' },
    );
    expect([audit.code, audit.stderr]).toEqual([0, '']);
    for (const role of [...old, ...today])
      expect([role.role, role.log()]).toEqual([role.role, expect.not.stringContaining('"level":50')]);
    // An old one that is started now says what to do.
    const late = await runTributary(['worker'], env, oldMain);
    expect([late.code, existsSync(oldMain)]).not.toEqual([0, false]);
    expect(late.stderr + late.stdout).toMatch(/newer/i);
  },
  120_000,
);
