import { expect, test } from 'bun:test';
import { buildPages } from '../../src/console/pages/build-pages.ts';
import { contentSecurityPolicy, createPages } from '../../src/console/pages/create-pages.ts';

const asked = (path: string, init: RequestInit = {}) => new Request(`http://console.test${path}`, init);

async function ask(
  pages: ReturnType<typeof createPages>,
  path: string,
  headers: Record<string, string> = {},
) {
  const response = await pages(asked(path, { headers }));
  if (response === undefined) throw new Error(`${path} is not the pages'`);
  return response;
}

test('the first load is under 300 kB gzipped', async () => {
  const { html, files } = await buildPages();
  const sizes = [new TextEncoder().encode(html), ...files.map(({ bytes }) => bytes)].map(
    (bytes) => Bun.gzipSync(bytes, { level: 9 }).length,
  );
  expect(files.map(({ path }) => path.replace(/-[a-z0-9]+\./, '.')).sort()).toEqual([
    'main.css',
    'main.js',
    'theme.js',
  ]);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
});

test('nothing in the pages needs another host or an inline script', async () => {
  const { html } = await buildPages();
  expect(html).not.toMatch(/<script(?![^>]* src="\/assets\/)/);
  expect(html).not.toMatch(/<style|style=|(src|href)="(?!\/assets\/|data:)/);
  expect(contentSecurityPolicy).toContain("default-src 'none'");
  expect(contentSecurityPolicy).not.toContain('unsafe');
});

test('files are compressed, kept for ever under their hash, and known again by their tag', async () => {
  const pages = createPages();
  const page = await ask(pages, '/t/acme/devices/a.b:c');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toBe(contentSecurityPolicy);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const script = /src="(\/assets\/main-[^"]+\.js)"/.exec(await page.text())?.[1] ?? '';

  const brotli = await ask(pages, script, { 'accept-encoding': 'gzip, br' });
  expect(brotli.headers.get('content-encoding')).toBe('br');
  expect(brotli.headers.get('cache-control')).toContain('immutable');
  const zipped = await ask(pages, script, { 'accept-encoding': 'gzip, br;q=0' });
  expect(zipped.headers.get('content-encoding')).toBe('gzip');
  const plain = await ask(pages, script);
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(Bun.gunzipSync(await zipped.arrayBuffer())).toEqual(new Uint8Array(await plain.arrayBuffer()));

  const again = await ask(pages, script, { 'if-none-match': plain.headers.get('etag') ?? '' });
  expect(again.status).toBe(304);
  expect((await ask(pages, '/assets/main-of-yesterday.js')).status).toBe(404);
});

test("the API, health and metrics are not the pages', nor is a change", () => {
  const pages = createPages(() => Promise.reject(new Error('not asked for')));
  for (const path of ['/api/v1/tenants', '/api/docs', '/healthz', '/readyz', '/metrics']) {
    expect(pages(asked(path))).toBeUndefined();
  }
  expect(pages(asked('/', { method: 'POST' }))).toBeUndefined();
});

test('a build that fails is tried again with the next request', async () => {
  let tries = 0;
  const pages = createPages(() => {
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('broken')) : Promise.resolve({ html: 'good', files: [] });
  });
  await expect(pages(asked('/'))).rejects.toThrow('broken');
  expect(await (await ask(pages, '/')).text()).toBe('good');
});
