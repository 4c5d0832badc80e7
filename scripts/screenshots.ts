/**
 * `bun scripts/screenshots.ts`: pictures of each page of the console, light and dark, for docs/img/. Runs everything of
 * its own in a temporary folder: `tributary up`, a simulated fleet, some trouble to look at, headless Chromium.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const root = resolve(import.meta.dir, '..');
const images = join(root, 'docs', 'img');
const tenant = 'acme';
/** Of the fleet's traffic before the first picture: the charts are to show something. */
const warmUpMs = 60_000;
const size = { width: 1_280, height: 860 };
const phoneSize = { width: 360, height: 1_280 };

interface Instance {
  readonly httpUrl: string;
  readonly consoleUrl: string;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-screenshots-'));
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    TRIBUTARY_DATA_DIR: join(folder, 'data'),
    TRIBUTARY_HTTP_PORT: '0',
    TRIBUTARY_MQTT_PORT: '0',
    TRIBUTARY_CONSOLE_PORT: '0',
    TRIBUTARY_PUBLIC_HTTP_URL: 'https://ingest.example.org',
    // The scene sends a quarter of an hour's readings at once.
    TRIBUTARY_DEVICE_RATE: '100',
    TRIBUTARY_DEVICE_BURST: '1000',
    NO_COLOR: '1',
  };
  const spawn = (...args: string[]) =>
    Bun.spawn([process.execPath, join(root, 'src/cli/main.ts'), ...args], {
      cwd: folder,
      env,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'inherit',
    });
  const cli = async (...args: string[]) => {
    const child = spawn(...args);
    const text = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) throw new Error(`tributary ${args.join(' ')} failed`);
    return text;
  };
  const up = spawn('up');
  let fleet: ReturnType<typeof spawn> | undefined;
  try {
    await untilPrinted(up.stdout, 'Tributary is running');
    const instance = JSON.parse(readFileSync(join(folder, 'data', 'instance.json'), 'utf8')) as Instance;
    const { key } = JSON.parse(await cli('operator-key', 'add', 'alice', '--json')) as { key: string };
    await makeScene(cli, instance, key);
    fleet = spawn(
      'simulate',
      ...'--devices 60 --rate 40 --minutes 15 --wrong-tokens 2 --tenant'.split(' '),
      tenant,
    );
    await Bun.sleep(warmUpMs);
    await takeAll(instance.consoleUrl, key);
  } finally {
    fleet?.kill('SIGTERM');
    await fleet?.exited;
    up.kill('SIGTERM');
    await up.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads on behind the words, so that nobody waits for room to write. */
function untilPrinted(stream: ReadableStream<Uint8Array>, words: string): Promise<void> {
  const printed = Promise.withResolvers<void>();
  const read = async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      if (text.includes(words)) printed.resolve();
    }
    printed.reject(new Error(`tributary up ended:\n${text}`));
  };
  read().catch(printed.reject);
  return printed.promise;
}

type Cli = (...args: string[]) => Promise<string>;

/** A second tenant, keys, a device with gaps, messages that are refused, routes with dead letters. */
async function makeScene(cli: Cli, { httpUrl, consoleUrl }: Instance, key: string): Promise<void> {
  await cli('tenant', 'add', tenant, '--name', 'Acme Boilers');
  await cli('tenant', 'add', 'globex', '--name', 'Globex');
  for (const [name, level] of [
    ['grafana', 'read'],
    ['deployment', 'write'],
  ]) {
    await fetch(`${consoleUrl}/api/v1/tenants/${tenant}/keys`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name, level }),
    });
  }
  const added = await cli('device', 'add', tenant, 'boiler-1', '--site', 'plant-1', '--json');
  const { token } = JSON.parse(added) as { token: string };
  await cli(
    'route',
    'add',
    tenant,
    'hot',
    '-c',
    'metrics.temp_c > 30',
    '--nats',
    'out.{tenant_id}.{device_id}',
  );
  await cli('route', 'add', tenant, 'pager', '--on', 'status', '--webhook', 'https://127.0.0.1:9/hook');
  await cli(
    'route',
    'add',
    tenant,
    'copy',
    '-c',
    'device_id == "boiler-1"',
    '--webhook',
    'https://127.0.0.1:9/hook',
  );
  const send = (body: unknown, withToken = token) =>
    fetch(`${httpUrl}/ingest/v1/tenant/${tenant}/device/boiler-1/telemetry`, {
      method: 'POST',
      headers: { 'X-Provision-Token': withToken, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const startMs = Date.now() - 840_000;
  for (let seq = 1; seq <= 420; seq += 1) {
    if (seq > 150 && seq < 172) continue;
    if (seq === 300) continue;
    const wave = Math.sin(seq / 30);
    const metrics = {
      temp_c: round(62 + 9 * wave + (seq % 7) / 5),
      pressure_kpa: round(210 + 14 * wave),
      flame: seq % 90 < 70,
    };
    await send({ site_id: 'plant-1', seq, ts: startMs + seq * 2_000, metrics });
  }
  for (let n = 0; n < 6; n += 1) await send({ metrics: { temp_c: 60 + n } });
  for (let n = 0; n < 4; n += 1) await send({ site_id: 'plant-2', metrics: { temp_c: 60 + n } });
  for (let n = 0; n < 3; n += 1) await send({ site_id: 'plant-1', metrics: { temp_c: [60 + n] } });
  for (let n = 0; n < 5; n += 1)
    await send({ site_id: 'plant-1', metrics: { temp_c: 60 + n } }, 'nobodys-token');
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** Name of the picture and path of the page; a picture of a dialog does something first. */
const shots: readonly (readonly [string, string, ((page: Page) => Promise<void>)?])[] = [
  ['overview', '/'],
  ['overview-tenant', `/t/${tenant}`],
  ['tenants', '/tenants'],
  ['devices', `/t/${tenant}/devices`],
  ['add-device', `/t/${tenant}/devices`, addDevice],
  ['device', `/t/${tenant}/devices/boiler-1`, untilDrawn],
  ['quarantine', `/t/${tenant}/quarantine?period=1`],
  ['quarantine-message', `/t/${tenant}/quarantine?reason=MISSING_SITE_ID`, openMessage],
  ['routes', `/t/${tenant}/routes`],
  ['route', `/t/${tenant}/routes/copy`],
  ['dead-letters', `/t/${tenant}/dead-letters`],
  ['rate-limits', `/t/${tenant}/rate-limits`],
  ['keys', `/t/${tenant}/keys`],
  ['audit-log', '/audit-log'],
  ['system', '/system'],
];

async function addDevice(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Add device' }).first().click();
  await page.getByLabel('Device id').fill(`kiln-${Date.now() % 1_000}`);
  await page.getByRole('dialog').getByLabel('Site').fill('plant-1');
  await page.keyboard.press('Enter');
  await page.locator('#line').waitFor();
}

/** Each chart has its points. */
async function untilDrawn(page: Page): Promise<void> {
  for (const metric of ['temp_c', 'pressure_kpa']) {
    await page.getByRole('img', { name: new RegExp(`^${metric}: \\d+ points`) }).waitFor();
  }
}

async function openMessage(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'MISSING_SITE_ID' }).first().click();
  await page.getByLabel('Payload', { exact: true }).waitFor();
}

async function takeAll(url: string, key: string): Promise<void> {
  mkdirSync(images, { recursive: true });
  const browser = await chromium.launch({
    executablePath: Bun.which('chromium') ?? 'chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  try {
    for (const scheme of ['light', 'dark'] as const) await takeScheme(browser, { url, key, scheme });
  } finally {
    await browser.close();
  }
  compress();
}

/** To a third, by 128 colours; without the program they stay as they are. */
function compress(): void {
  const files = readdirSync(images).map((file) => join(images, file));
  const program = Bun.which('pngquant');
  if (program === null) console.error('the pictures are not compressed: apt-get install pngquant');
  else Bun.spawnSync([program, '--force', '--ext', '.png', '--speed', '1', '--strip', '128', ...files]);
}

interface Scheme {
  readonly url: string;
  readonly key: string;
  readonly scheme: 'light' | 'dark';
}

async function takeScheme(browser: Browser, { url, key, scheme }: Scheme): Promise<void> {
  const page = await (await browser.newContext({ viewport: size, colorScheme: scheme })).newPage();
  await page.goto(url);
  await page.getByLabel('Key').waitFor();
  await page.screenshot({ path: join(images, `sign-in-${scheme}.png`) });
  await page.getByLabel('Key').fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  for (const [name, path, act] of shots) {
    await page.setViewportSize(size);
    await page.goto(url + path);
    await act?.(page);
    // Charts draw, feeds begin.
    await page.waitForTimeout(name.startsWith('overview') ? 4_000 : 1_500);
    const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
    const most = name === 'device' ? 1_500 : 1_000;
    if (name !== 'add-device') {
      await page.setViewportSize({ ...size, height: Math.min(Math.max(height, size.height), most) });
    }
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(images, `${name}-${scheme}.png`) });
  }
  const storageState = await page.context().storageState();
  // As a phone shows it: without a bar to scroll with.
  const phone = { viewport: phoneSize, isMobile: true, hasTouch: true, colorScheme: scheme, storageState };
  const onPhone = await (await browser.newContext(phone)).newPage();
  for (const [name, path, act] of [
    ['overview-phone', '/'],
    ['device-phone', `/t/${tenant}/devices/boiler-1`, untilDrawn],
    ['quarantine-phone', `/t/${tenant}/quarantine?period=1`],
  ] as const) {
    await onPhone.goto(url + path);
    await act?.(onPhone);
    await onPhone.waitForTimeout(3_000);
    await onPhone.screenshot({ path: join(images, `${name}-${scheme}.png`) });
  }
}

await main();
