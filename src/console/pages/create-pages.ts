import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { type BuiltPages, buildPages } from './build-pages.ts';

/** Nothing from elsewhere, no inline script, no inline style, in no frame. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const sharedHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  vary: 'accept-encoding',
};

interface Served {
  readonly type: string;
  readonly etag: string;
  /** Files have their hash in their name; the page itself is asked for each time. */
  readonly cacheControl: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly br: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

/** @returns undefined for what is not the pages': the API, health, metrics, and methods that change something. */
export type ServePages = (request: Request) => Promise<Response> | undefined;

const notPages = /^\/(api|healthz|readyz|metrics|ingest)(\/|$)/;

/**
 * The console's pages, bundled when the first of them is asked for, compressed once.
 * @param build default: from the sources; an executable hands in what was built before
 */
export function createPages(build: () => Promise<BuiltPages> = buildPages): ServePages {
  let prepared: Promise<ReadonlyMap<string, Served>> | undefined;
  const prepare = () => {
    prepared ??= build()
      .then(prepareAll)
      .catch((error: unknown) => {
        // The next request tries again, and says why once more.
        prepared = undefined;
        throw error;
      });
    return prepared;
  };
  return (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
    const { pathname } = new URL(request.url);
    if (notPages.test(pathname)) return undefined;
    return prepare().then((served) => answer(request, pathname, served));
  };
}

async function prepareAll({ html, files }: BuiltPages): Promise<ReadonlyMap<string, Served>> {
  const page = await serve('text/html; charset=utf-8', 'no-cache', new TextEncoder().encode(html));
  const rest = await Promise.all(
    files.map(async ({ path, type, bytes }) => {
      const served = await serve(type, 'public, max-age=31536000, immutable', bytes);
      return [`/assets/${path}`, served] as const;
    }),
  );
  return new Map([['/', page], ...rest]);
}

async function serve(type: string, cacheControl: string, plain: Uint8Array<ArrayBuffer>): Promise<Served> {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(plain, quality),
    promisify(gzip)(plain, { level: 9 }),
  ]);
  const etag = `"${new Bun.CryptoHasher('sha256').update(plain).digest('hex').slice(0, 24)}"`;
  return { type, etag, cacheControl, plain, br: new Uint8Array(br), gzip: new Uint8Array(zipped) };
}

function answer(request: Request, pathname: string, served: ReadonlyMap<string, Served>): Response {
  const file = served.get(pathname) ?? (pathname.startsWith('/assets/') ? undefined : served.get('/'));
  if (file === undefined) {
    return new Response('no such file: reload the page\n', { status: 404, headers: sharedHeaders });
  }
  const headers = { ...sharedHeaders, etag: file.etag, 'cache-control': file.cacheControl };
  if (request.headers.get('if-none-match') === file.etag) return new Response(null, { status: 304, headers });
  const encoding = encodingFor(request.headers.get('accept-encoding') ?? '');
  const body = file[encoding ?? 'plain'];
  return new Response(request.method === 'HEAD' ? null : body, {
    headers: {
      ...headers,
      'content-type': file.type,
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
  });
}

function encodingFor(accepted: string): 'br' | 'gzip' | undefined {
  const wanted = new Set(
    accepted
      .split(',')
      .map((each) => each.trim().toLowerCase())
      .filter((each) => !/;\s*q=0(\.0*)?$/.test(each))
      .map((each) => each.replace(/;.*$/, '')),
  );
  if (wanted.has('br')) return 'br';
  return wanted.has('gzip') ? 'gzip' : undefined;
}
