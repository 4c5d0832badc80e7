import type { Hono } from 'hono';
import style from './docs.css' with { type: 'text' };
import page from './docs.html' with { type: 'text' };
import script from './docs.js' with { type: 'text' };

// Typed as what a server of Bun's would bundle, but the import asks for the text.
const text = page as unknown as string;

const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** `/api/docs`: the OpenAPI document to look around in, and to try. Three files, nothing from elsewhere. */
export function addDocsPage<E extends { Bindings: object }>(app: Hono<E>, apiPrefix: string): void {
  const files = [
    ['/api/docs', 'text/html; charset=utf-8', text.replaceAll('{api}', apiPrefix)],
    ['/api/docs.css', 'text/css; charset=utf-8', style],
    ['/api/docs.js', 'text/javascript; charset=utf-8', script],
  ] as const;
  for (const [path, type, body] of files) {
    const headers = { 'Content-Type': type, 'Content-Security-Policy': contentSecurityPolicy };
    app.get(path, () => new Response(body, { headers }));
  }
}
