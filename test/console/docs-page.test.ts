import { expect, test } from 'bun:test';
import { operations } from '../../src/console/operations/operations.ts';
import { findChromium, startBrowser } from '../harness/browser.ts';
import { createWorld } from './world.ts';

const chromium = findChromium();
if (chromium === undefined) console.error('skipped: the page of the API: chromium is not installed');

test.skipIf(chromium === undefined)(
  'the page shows every operation, finds one, and tries one with a key',
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const world = await createWorld();
    cleanup.defer(() => world.close());
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request) => world.console.fetch(request, '127.0.0.1'),
    });
    cleanup.defer(() => server.stop(true));
    const browser = cleanup.use(await startBrowser(chromium ?? ''));
    const { page, complaints, seriousViolations } = await browser.open();
    await page.goto(`http://127.0.0.1:${server.port}/api/docs#listDevices`);
    await page.locator('details#listDevices[open]').waitFor();
    // And the gateway's four.
    expect(await page.locator('details').count()).toBe(operations.length + 4);
    expect(await seriousViolations()).toEqual([]);

    await page.getByLabel('Find').fill('tenants, by id');
    await page.locator('details#listDevices').waitFor({ state: 'hidden' });
    await page.getByLabel('Key').fill(world.keys.operator);
    await page.locator('details#listTenants > summary').click();
    await page.locator('details#listTenants').getByLabel('search').fill('OWN');
    await page.locator('details#listTenants').getByRole('button', { name: 'Try' }).click();
    await page.locator('details#listTenants').getByText('"tenant_id":"own"').waitFor();
    expect(complaints).toEqual([]);
  },
  120_000,
);
