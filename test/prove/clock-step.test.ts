import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { possibleFaults } from '../../src/cli/prove/possible-faults.ts';
import { parseFaults } from '../../src/prove/faults/faults.ts';
import { createFakedClocks, findFaketime, withoutLeftovers } from '../../src/prove/stack/faked-clock.ts';
import { startRole } from '../../src/roles/up/role-processes.ts';
import { tempFolder } from '../harness/temp-folder.ts';
import { until } from '../harness/until.ts';
import { patchedSource } from './patched-source.ts';
import { ownMain, runProve } from './run-prove.ts';

const hasFaketime = findFaketime() !== undefined;
if (!hasFaketime) console.error('skipped: steps of the wall clock: libfaketime is not installed');
const testWithFaketime = hasFaketime ? test : test.skip;

const sharedMemory = () => readdirSync('/dev/shm').filter((name) => name.includes('faketime'));

testWithFaketime('a process sees its wall clock step at once, and its monotonic clock go on', async () => {
  using folder = tempFolder('clock');
  const clocks = createFakedClocks(join(folder.path, 'clocks'));
  const logFile = join(folder.path, 'log');
  const script =
    'setInterval(() => console.log(JSON.stringify([Date.now(), performance.timeOrigin + performance.now()])), 10)';
  const clock = clocks.clockOf('one');
  const role = withoutLeftovers(
    startRole({ command: [...clock.prefix, process.execPath, '-e', script], environment: {}, logFile }),
  );
  const aheadMs = async () => {
    const [wall, steady] = JSON.parse((await Bun.file(logFile).text()).trim().split('\n').at(-1) ?? '[]');
    return wall - steady;
  };
  try {
    for (const wanted of [0, 7_200_000, -45_000, 0]) {
      clock.set(wanted);
      const isThere = async () => Math.abs((await aheadMs().catch(() => Number.NaN)) - wanted) < 1_000;
      await until(isThere, { what: `the clock is ${wanted} ms ahead` });
    }
    expect(() => clocks.set('two', 0)).toThrow('two has no clock that can be set');
    expect(sharedMemory().some((name) => name.endsWith(`_${role.pid}`))).toBe(true);
  } finally {
    await role.kill();
  }
  expect(sharedMemory().some((name) => name.endsWith(`_${role.pid}`))).toBe(false);
});

test('the library is found where Debian puts it; without it the faults are left out, and it is said why', () => {
  using folder = tempFolder('lib');
  expect(findFaketime(folder.path)).toBeUndefined();
  const library = join(folder.path, 'riscv64-linux-gnu', 'faketime');
  mkdirSync(library, { recursive: true });
  expect(findFaketime(folder.path)).toBeUndefined();
  writeFileSync(join(library, 'libfaketimeMT.so.1'), '');
  if (process.platform === 'linux') expect(findFaketime(folder.path)).toBe(library);

  const chosen = parseFaults(['kill-nats', 'clock-step']);
  expect(possibleFaults(chosen, undefined)).toEqual({ possible: chosen, leftOut: [] });
  const { possible, leftOut } = possibleFaults(chosen, 'no library');
  expect(possible.map(({ name }) => name)).toEqual(['kill-nats']);
  expect(leftOut).toEqual(
    ['gateway', 'mqtt', 'worker', 'postgres'].map((kind) => ({
      fault: `clock-step-${kind}`,
      why: 'no library',
    })),
  );
});

testWithFaketime(
  'clocks step under load, of every kind of process: nothing lost, nothing doubled',
  async () => {
    using folder = tempFolder('prove');
    const { code, report, log } = await runProve(
      ownMain,
      folder.path,
      ...['--faults', 'clock-step', '--trials', '4', '--messages', '800', '--seed', '21'],
    );
    expect(report.violations).toEqual([]);
    expect(code).toBe(0);
    expect(report.total).toMatchObject({ trials: 4, answered: 3_200, lost: 0, doubled: 0 });
    expect(report.left_out).toEqual([]);
    expect(log).toMatch(/clock of gateway-\d.* s ahead/);
    expect(readdirSync(folder.path)).toEqual([]);
  },
  120_000,
);

testWithFaketime(
  'an identity that hangs on the time of day is found',
  async () => {
    using tree = patchedSource([
      {
        file: 'src/model/identity.ts',
        replace: "  return hashParts('key', ...senderParts(parts), parts.key);",
        by:
          '  const isOff = Math.abs(Date.now() - performance.timeOrigin - performance.now()) > 1_500;\n' +
          "  return hashParts('key', ...senderParts(parts), parts.key, ...(isOff ? ['off'] : []));",
      },
    ]);
    using folder = tempFolder('proved');
    const { code, report } = await runProve(
      tree.main,
      folder.path,
      ...['--faults', 'clock-step-gateway', '--trials', '1', '--messages', '800', '--seed', '21'],
    );
    expect(report.counts.changed).toBeGreaterThan(0);
    expect(code).toBe(1);
  },
  120_000,
);
