import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import { findChromium, startBrowser, type TestBrowser } from '../harness/browser.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

const chromium = findChromium();
if (chromium === undefined) console.error('skipped: the pages in a browser: chromium is not installed');

async function signIn(page: Page, api: FakeApi, path: string): Promise<void> {
  await page.goto(api.url + path);
  await page.getByLabel('Key').fill('tro_right');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** A browser beside all else on two cores. */
const timeoutMs = 180_000;

describe.skipIf(chromium === undefined)('the pages in Chromium', () => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await startBrowser(chromium ?? '');
  }, timeoutMs);
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
  });

  test(
    'from sign-in to the first reading on its chart, without a reload',
    async () => {
      await using api = await startFakeApi();
      const { page, complaints, seriousViolations } = await browser.open();
      await page.goto(`${api.url}/t/acme/devices`);
      await page.getByLabel('Key').fill('tro_wrong');
      await page.keyboard.press('Enter');
      await page.getByText('This key is unknown or revoked.').waitFor();
      expect(await seriousViolations()).toEqual([]);
      await page.getByLabel('Key').fill('tro_right');
      await page.keyboard.press('Enter');

      await page.getByText('No devices yet').waitFor();
      await page.getByRole('button', { name: 'Add device' }).first().click();
      await page.getByLabel('Device id').fill('boiler-1');
      await page.getByRole('dialog').getByLabel('Site').fill('plant-1');
      await page.keyboard.press('Enter');
      expect(await page.locator('#token').textContent()).toBe('tok_shown_once');
      await page.locator('#line').waitFor();
      const line = await page.locator('#line').textContent();
      expect(line).toContain("-H 'X-Provision-Token: tok_shown_once'");
      expect(line).toContain('http://gateway.test:8080/ingest/v1/tenant/acme/device/boiler-1/telemetry');
      await page.getByRole('button', { name: 'mosquitto_pub' }).click();
      expect(await page.locator('#line').textContent()).toContain('mosquitto_pub -h mqtt.test -p 1883');
      await page.getByText('Waiting for the first message …').waitFor();
      expect(await seriousViolations()).toEqual([]);

      const startMs = Date.now() - 20_000;
      const reading = (seq: number, temp_c: number) => ({
        tenant_id: 'acme',
        device_id: 'boiler-1',
        site_id: 'plant-1',
        msg_type: 'telemetry',
        time: new Date(startMs + seq * 5_000).toISOString(),
        arrived_at: new Date().toISOString(),
        seq,
        metrics: { temp_c },
      });
      api.publish('reading', reading(1, 21.5));
      await page.getByText('First message arrived').waitFor();
      await page.getByRole('button', { name: 'Open boiler-1' }).click();
      const latest = page.locator('[data-metric="temp_c"]');
      await latest.getByText('21.5 °C').waitFor();
      await page.getByRole('img', { name: /^temp_c: 1 points/ }).waitFor();
      await page.getByText('live', { exact: true }).waitFor();
      api.publish('reading', reading(2, 30.25));
      await latest.getByText('30.25 °C').waitFor();
      await page.getByRole('img', { name: /30\.25/ }).waitFor();
      await page.getByRole('cell', { name: 'temp_c 30.25' }).waitFor();
      expect(await seriousViolations()).toEqual([]);
      expect(complaints).toEqual([]);
    },
    timeoutMs,
  );

  test(
    'a problem is shown with what to do, and the page goes on when it is over',
    async () => {
      await using api = await startFakeApi();
      const { page } = await browser.open();
      api.fail('/tenants', 503, { title: 'Unavailable', detail: 'PostgreSQL does not answer.' });
      await signIn(page, api, '/tenants');
      await page.getByText('PostgreSQL does not answer.').waitFor();
      await page.getByText('Nothing accepted is lost').waitFor();
      await page.getByRole('button', { name: 'Try again' }).waitFor();
    },
    timeoutMs,
  );

  test(
    'who loads the page while PostgreSQL is away is told so, and is signed in again when it is back',
    async () => {
      await using api = await startFakeApi();
      const { page, seriousViolations } = await browser.open();
      await signIn(page, api, '/t/acme/devices');
      await page.getByText('No devices yet').waitFor();
      api.fail('/session', 503, { title: 'Unavailable', detail: 'PostgreSQL does not answer.' });
      await page.reload();
      await page.getByText('PostgreSQL does not answer, so the console cannot tell who you are').waitFor();
      expect(await seriousViolations()).toEqual([]);
      api.mend('/session');
      await page.getByText('No devices yet').waitFor();
    },
    timeoutMs,
  );

  test(
    'at phone width nothing sticks out, and the menu opens',
    async () => {
      await using api = await startFakeApi();
      const { page } = await browser.open({ viewport: { width: 360, height: 740 } });
      await signIn(page, api, '/t/acme/devices');
      await page.getByText('No devices yet').waitFor();
      const overhang = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
      expect(overhang).toBeLessThanOrEqual(0);
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('link', { name: 'Quarantine' }).first().waitFor();
    },
    timeoutMs,
  );

  test(
    'a dialog takes the focus, keeps it, and gives it back to what opened it',
    async () => {
      await using api = await startFakeApi();
      const { page, seriousViolations, keyboardFaults } = await browser.open();
      await signIn(page, api, '/t/acme/devices');
      await page.getByText('No devices yet').waitFor();
      const focused = () =>
        page.evaluate(
          'document.activeElement.getAttribute("aria-label") ?? document.activeElement.name ?? document.activeElement.textContent',
        );
      const isInDialog = () => page.evaluate('document.activeElement.closest("dialog") !== null');
      const opener = page.locator('main header').getByRole('button', { name: 'Add device' });
      for (const close of ['Escape', 'Cancel', 'Close']) {
        await opener.focus();
        await page.keyboard.press('Enter');
        await page.getByRole('dialog').waitFor();
        expect(await focused()).toBe('device_id');
        expect(await keyboardFaults()).toEqual([]);
        if (close === 'Escape') await page.keyboard.press('Escape');
        else {
          await page.getByRole('dialog').getByRole('button', { name: close, exact: true }).focus();
          await page.keyboard.press('Enter');
        }
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        expect(await opener.evaluate((button) => button === button.ownerDocument.activeElement)).toBe(true);
      }
      // One dialog that follows another begins with what it is about.
      await page.keyboard.press('Enter');
      await page.keyboard.type('boiler-1');
      await page.keyboard.press('Tab');
      await page.keyboard.type('plant-1');
      await page.keyboard.press('Enter');
      await page.locator('#line').waitFor();
      expect(await focused()).toBe('Copy: Token, shown only now: keep it');
      expect([await isInDialog(), await keyboardFaults()]).toEqual([true, []]);
      expect(await seriousViolations()).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      // The page's first button for it, or its heading where that is gone: nobody begins at the top again.
      expect(await page.evaluate('document.activeElement.closest("main") !== null')).toBe(true);
    },
    timeoutMs,
  );

  test(
    'a chosen theme is kept, and there before the first paint',
    async () => {
      await using api = await startFakeApi();
      const { page } = await browser.open({ colorScheme: 'light' });
      await signIn(page, api, '/tenants');
      await page.getByLabel('Theme').selectOption('dark');
      const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      const dark = await ground();
      await page.reload();
      await page.getByLabel('Theme').waitFor();
      expect(await ground()).toBe(dark);
      await page.getByLabel('Theme').selectOption('light');
      expect(await ground()).not.toBe(dark);
    },
    timeoutMs,
  );
});
