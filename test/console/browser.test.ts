import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { Page } from 'playwright-core';
import { findChromium, startBrowser, type TestBrowser, type TestPage } from '../harness/browser.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const chromium = findChromium();
if (chromium === undefined) console.error('skipped: the console in a browser: chromium is not installed');

/** The console shows the doors' ports to devices, so they have to be known before the doors are started. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function shell(line: string): Promise<string> {
  const child = Bun.spawn(['sh', '-c', line], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  return new Response(child.stdout).text();
}

/** A browser beside all else on two cores. */
const timeoutMs = 180_000;

/** What browsers call good. */
const mostShift = 0.1;

describe.skipIf(chromium === undefined)('the console in Chromium, before everything real', () => {
  let browser: TestBrowser;
  let stack: Stack;
  let opened: TestPage;
  let page: Page;

  beforeAll(async () => {
    const [httpPort, mqttPort] = [String(await freePort()), String(await freePort())];
    stack = await startStack({
      roles: { delivery: 1, console: 1 },
      env: {
        TRIBUTARY_HTTP_PORT: httpPort,
        TRIBUTARY_MQTT_PORT: mqttPort,
        TRIBUTARY_SECRETS_KEY: randomBytes(32).toString('base64'),
      },
    });
    browser = await startBrowser(chromium ?? '');
    opened = await browser.open();
    page = opened.page;
    const { key } = (await stack.cliJson('operator-key', 'add', 'browser')) as { key: string };
    await page.goto(stack.consoleUrl);
    await page.getByLabel('Key').fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
  }, timeoutMs);
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await stack?.[Symbol.asyncDispose]();
  }, timeoutMs);

  test(
    'a device is added, its line pasted, its reading seen; a wrong token is quarantined, mended, replayed and stored',
    async () => {
      const line = await addDevice(page);
      expect(await shell(line)).toBe('{"status":"accepted"}');
      await page.getByText('First message arrived').waitFor();
      await page.getByRole('button', { name: 'Open boiler-1' }).click();
      const latest = page.locator('[data-metric="temp_c"]');
      await latest.getByText('21.5 °C').waitFor();
      await page.getByRole('img', { name: /^temp_c: 1 points/ }).waitFor();
      await page.getByText('live', { exact: true }).waitFor();
      // On its chart without a reload.
      await shell(line.replace('21.5', '23.75'));
      await latest.getByText('23.75 °C').waitFor();

      // Nobody's token: refused, and seen on the device's page.
      await shell(
        line.replace(/X-Provision-Token: \S+'/, "X-Provision-Token: nobodys-token'").replace('21.5', '99.5'),
      );
      const refused = page.getByRole('link', { name: 'TOKEN_INVALID' });
      await refused.waitFor();
      await refused.click();
      await page.getByRole('heading', { name: 'TOKEN_INVALID' }).waitFor();
      await mend(page, '24.25');
      await replay(page);

      await page.goto(`${stack.consoleUrl}/t/acme/devices/boiler-1`);
      await page.getByRole('cell', { name: 'temp_c 24.25' }).waitFor();
      await page.getByText('Nothing of this device was rejected').waitFor();
      const { rows } = await stack.pool.query(
        `select metrics ->> 'temp_c' as temp from telemetry where tenant_id = 'acme' order by arrived_at`,
      );
      expect(rows.map(({ temp }) => temp)).toEqual(['21.5', '23.75', '24.25']);
      expect(opened.complaints).toEqual([]);
    },
    timeoutMs,
  );

  test.skipIf(Bun.which('mosquitto_pub') === null || Bun.which('python3') === null)(
    'the lines for mosquitto_pub and Python send a reading as they stand',
    async () => {
      await page.goto(`${stack.consoleUrl}/t/acme/devices`);
      await registerDevice(page, 'boiler-2');
      const stored = async () => {
        const { rows } = await stack.pool.query(
          `select metrics::text as metrics, site_id from telemetry where device_id = 'boiler-2'`,
        );
        return rows;
      };
      const reading = { metrics: '{"temp_c": 21.5}', site_id: 'plant-1' };
      await page.getByRole('button', { name: 'mosquitto_pub' }).click();
      const published = await shown(page);
      expect(published).toStartWith('mosquitto_pub ');
      expect(await shell(published)).toBe('');
      await until(async () => (await stored()).length === 1, { what: 'the row of mosquitto_pub' });
      await page.getByText('First message arrived').waitFor();

      await page.getByRole('button', { name: 'Python' }).click();
      const python = Bun.spawn(['python3', '-'], {
        stdin: new Blob([await shown(page)]),
        stdout: 'pipe',
        stderr: 'inherit',
      });
      expect(await new Response(python.stdout).text()).toBe('202\n');
      await until(async () => (await stored()).length === 2, { what: 'the row of the Python lines' });
      expect(await stored()).toEqual([reading, reading]);
    },
    timeoutMs,
  );

  test(
    'each page works before the real API, is gone through by keyboard, does not jump, and breaks no grave rule of accessibility',
    async () => {
      const message = await makeTrouble(stack);
      const pages: readonly (readonly [path: string, heading: string, panel?: string])[] = [
        ['/', 'Overview'],
        ['/tenants', 'Tenants'],
        ['/quarantine', 'Quarantine'],
        ['/rate-limits', 'Rate limits'],
        ['/system', 'System'],
        ['/operator-keys', 'Operator keys'],
        ['/audit-log', 'Audit log'],
        ['/t/acme', 'Overview of acme'],
        ['/t/acme/devices', 'Devices'],
        ['/t/acme/devices/boiler-1', 'boiler-1'],
        ['/t/acme/quarantine', 'Quarantine'],
        [`/t/acme/quarantine/${message}`, 'TOKEN_INVALID', 'Mend'],
        ['/t/acme/routes', 'Routes'],
        ['/t/acme/routes/hook', 'hook', 'What became of it'],
        ['/t/acme/dead-letters', 'Dead letters'],
        ['/t/acme/rate-limits', 'Rate limits'],
        ['/t/acme/keys', 'Keys'],
        ['/t/acme/audit-log', 'Audit log'],
      ];
      const faults: string[] = [];
      for (const [path, heading, panel] of pages) {
        await page.goto(stack.consoleUrl + path);
        await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
        if (panel !== undefined) await page.getByRole('heading', { level: 2, name: panel }).waitFor();
        await until(async () => (await page.locator('[aria-busy="true"]').count()) === 0, {
          what: `${path} is loaded`,
          timeoutMs: 30_000,
        });
        const alerts = await page.getByRole('alert').allTextContents();
        const shift = await opened.layoutShift();
        if (shift >= mostShift) faults.push(`${path} jumps: ${shift}`);
        const found = [...alerts, ...(await opened.seriousViolations()), ...(await opened.keyboardFaults())];
        faults.push(...found.map((fault) => `${path}: ${fault}`));
      }
      expect(faults).toEqual([]);
      expect(opened.complaints).toEqual([]);
    },
    timeoutMs,
  );
});

const shown = async (page: Page): Promise<string> => (await page.locator('#line').textContent()) ?? '';

/** A message that is refused, and a route whose destination is: for pages that are empty without. @returns the message's id */
async function makeTrouble(stack: Stack): Promise<string> {
  const hook = ['--webhook', 'https://127.0.0.1:9/hook'];
  await stack.cliJson('route', 'add', 'acme', 'hook', '-c', 'device_id == "boiler-3"', ...hook);
  const { token } = (await stack.cliJson('device', 'add', 'acme', 'boiler-3', '--site', 'plant-1')) as {
    token: string;
  };
  const send = (withToken: string) =>
    fetch(`${stack.httpUrl}/ingest/v1/tenant/acme/device/boiler-3/telemetry`, {
      method: 'POST',
      headers: { 'X-Provision-Token': withToken },
      body: '{"site_id":"plant-1","metrics":{"temp_c":1}}',
    });
  await Promise.all([send(token), send('nobodys-token')]);
  const one = async (sql: string) => (await stack.pool.query<{ id: string }>(sql)).rows[0]?.id;
  await until(() => one(`select route_name as id from dead_letters`), { what: 'a dead letter' });
  return until(() => one(`select quarantine_id::text as id from quarantine where device_id = 'boiler-3'`), {
    what: 'a quarantined message',
  });
}

async function registerDevice(page: Page, device: string): Promise<void> {
  await page.getByRole('button', { name: 'Add device' }).first().click();
  await page.getByLabel('Device id').fill(device);
  await page.getByRole('dialog').getByLabel('Site').fill('plant-1');
  await page.keyboard.press('Enter');
  await page.locator('#line').waitFor();
  await page.getByText('Waiting for the first message …').waitFor();
}

/** @returns the curl line as shown */
async function addDevice(page: Page): Promise<string> {
  await page.getByRole('link', { name: 'Tenants' }).click();
  await page.getByRole('button', { name: 'Add tenant' }).first().click();
  await page.getByLabel('Tenant id').fill('acme');
  await page.keyboard.press('Enter');
  await page.getByText('No devices yet').waitFor();
  await registerDevice(page, 'boiler-1');
  return shown(page);
}

async function mend(page: Page, temp: string): Promise<void> {
  await page
    .getByLabel('Payload', { exact: true })
    .fill(`{"site_id":"plant-1","metrics":{"temp_c":${temp}}}`);
  await page.getByRole('button', { name: 'Save the mended payload' }).click();
  await page.getByText(/^Mended, but still TOKEN_INVALID/).waitFor();
}

async function replay(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Replay' }).click();
  await page.getByLabel('I vouch for them').check();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
  await page.getByText('Done', { exact: true }).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
}
