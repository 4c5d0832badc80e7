import { type Browser, chromium, type Page } from 'playwright-core';
import { createSecret, hashToken, operatorKeyPrefix, secretBytes } from '../../src/model/token.ts';
import { deviceAt, type FleetSpec } from '../load/fleet.ts';
import { runLoad } from '../load/run-load.ts';
import { type Smoothness, watchPage } from '../measure/page-smoothness.ts';
import type { Program } from '../measure/program.ts';
import { type RoleName, startRole } from '../measure/roles.ts';
import { spreadOf } from '../measure/statistics.ts';
import type { Bench, Figure, ResultRow } from './figure.ts';
import { below } from './in-turn.ts';

const ratePerSecond = 2_000;
const connections = 64;
/** All of one tenant: its list is the one that is shown. */
const fleet: FleetSpec = { devices: 10_000, tenants: 1, seed: 1 };
/** What a person calls smooth: no task holds the page up for longer than this. */
const wantedTaskMs = 200;

/** Whether the pages stay smooth while much comes in and many devices are listed. */
export const consolePages: Figure = {
  name: 'console',
  title: `The console’s pages with ${ratePerSecond.toLocaleString('en')} messages a second and ${fleet.devices.toLocaleString('en')} devices`,
  isSlow: true,
  async run(bench) {
    const { servers, backend } = bench;
    await using cleanup = new AsyncDisposableStack();
    await backend.clear();
    await backend.register(fleet);
    await backend.knowSensors(fleet);
    const start = async (role: RoleName) => {
      const program = await startRole(servers, role, { env: { TRIBUTARY_CONSOLE_PORT: '0' } });
      cleanup.defer(() => program.stop());
      return program;
    };
    await start('worker');
    const gateway = await start('gateway');
    const console = await start('console');
    const browser = await chromium.launch({
      executablePath: Bun.which('chromium') ?? 'chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    cleanup.defer(() => browser.close());
    const measured = await measure(bench, { gateway, console, browser });
    return { rows: rowsOf(measured), notes: notesOn(measured), details: measured };
  },
};

interface Scene {
  readonly gateway: Program;
  readonly console: Program;
  readonly browser: Browser;
}

interface Measured {
  readonly overview: Smoothness[];
  readonly devices: Smoothness[];
  readonly device: Smoothness[];
}

async function measure({ backend, effort }: Bench, { gateway, console, browser }: Scene): Promise<Measured> {
  const key = createSecret(operatorKeyPrefix, crypto.getRandomValues(new Uint8Array(secretBytes)));
  await backend.pool.query({
    text: 'insert into operator_keys (name, key_sha256) values ($1, $2)',
    values: [`bench-${Date.now()}`, hashToken(key)],
  });
  const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
  const url = `http://127.0.0.1:${console.port}`;
  await page.goto(url);
  await page.getByLabel('Key').fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();

  const measured: Measured = { overview: [], devices: [], device: [] };
  const watchMs = effort.measureMs * 2;
  const load = runLoad({
    door: { kind: 'single', port: gateway.port, connections },
    fleet,
    pace: { kind: 'open', messagesPerSecond: ratePerSecond },
    warmUpMs: effort.warmUpMs,
    measureMs: effort.rounds * (watchMs * 3 + 9_000),
  });
  for (let round = 0; round < effort.rounds; round += 1) {
    await open(page, `${url}/`, 'Messages per second');
    measured.overview.push(await watchPage(page, () => page.waitForTimeout(watchMs)));
    const { tenantId, deviceId } = deviceAt(fleet, round);
    await open(page, `${url}/t/${tenantId}/devices`, 'Next');
    measured.devices.push(await watchPage(page, () => leafThrough(page, watchMs)));
    await open(page, `${url}/t/${tenantId}/devices/${deviceId}`, 'temp');
    measured.device.push(await watchPage(page, () => page.waitForTimeout(watchMs)));
  }
  const { acceptedPerSecond, failed } = await load;
  if (failed > 0 || acceptedPerSecond < ratePerSecond * 0.97) {
    throw new Error(
      `the load was ${acceptedPerSecond.toFixed(0)}/s with ${failed} failed, not ${ratePerSecond}/s`,
    );
  }
  return measured;
}

async function open(page: Page, url: string, shows: string): Promise<void> {
  await page.goto(url);
  await page.getByText(shows).first().waitFor();
  // Loading is not what is watched.
  await page.waitForTimeout(1_500);
}

/** Scrolls, and turns the pages of the list. */
async function leafThrough(page: Page, forMs: number): Promise<void> {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(200);
    await page.mouse.wheel(0, 2_600);
    await page.waitForTimeout(200);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.waitForTimeout(300);
  }
}

const named: readonly (readonly [keyof Measured, string])[] = [
  ['overview', 'overview'],
  ['devices', 'devices, scrolled and leafed through'],
  ['device', 'one device, live'],
];

function rowsOf(measured: Measured): ResultRow[] {
  return named.flatMap(([key, name]) => {
    const runs = measured[key];
    return [
      {
        label: `${name}: longest task`,
        unit: 'ms',
        ours: spreadOf(runs.map(({ longestTaskMs }) => longestTaskMs)),
        wanted: below(wantedTaskMs),
      },
      {
        label: `${name}: p99 between frames`,
        unit: 'ms',
        ours: spreadOf(runs.map(({ frameP99Ms }) => frameP99Ms)),
      },
    ];
  });
}

function notesOn(measured: Measured): string[] {
  const tasks = named.map(([key, name]) => {
    const runs = measured[key];
    const count = runs.reduce((sum, { longTasks }) => sum + longTasks, 0);
    return `${name} ${count}`;
  });
  return [
    'Headless Chromium on the same two cores as the servers and the load; it draws without a graphics processor.',
    'Only tasks of 50 ms and more are reported by the browser: 0 is none. ' +
      `Such tasks in all rounds: ${tasks.join(', ')}.`,
  ];
}
