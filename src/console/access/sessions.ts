import { createHash } from 'node:crypto';
import { equalHash } from '../../model/token.ts';
import { Problem } from '../problem.ts';

const sessionCookie = 'tributary_session';
export const sessionLifetimeMs = 12 * 3_600_000;
const sessionBytes = 32;

/** Of a browser that signed in. */
export interface OpenSession {
  readonly sha256: Buffer;
  /** What a change has to carry in X-CSRF-Token. */
  readonly csrf: string;
  readonly expiresAt: Date;
}

export function createSessionSecret(randomBytes: (count: number) => Uint8Array): string {
  return Buffer.from(randomBytes(sessionBytes)).toString('base64url');
}

/** What the database knows the session by. */
export function hashSession(secret: string): Buffer {
  return createHash('sha256').update('tributary session\0').update(secret).digest();
}

/** Follows from the secret, so it needs no place of its own; the secret does not follow from it. */
export function csrfOf(secret: string): string {
  return createHash('sha256').update('tributary csrf\0').update(secret).digest('base64url');
}

/**
 * Over TLS browsers take a cookie of this name from this very host only: a page of a host beside ours could plant its own
 * session otherwise, and whoever works on would do so in somebody else's name.
 */
function cookieName(isSecure: boolean): string {
  return isSecure ? `__Host-${sessionCookie}` : sessionCookie;
}

/** The session's secret in the Cookie header, if it looks like one. Of two nobody can say which we gave: then there is none. */
export function sessionSecretOf(headers: Headers, isSecure: boolean): string | undefined {
  const cookies = headers.get('Cookie')?.split(';') ?? [];
  const prefix = `${cookieName(isSecure)}=`;
  const own = cookies.map((each) => each.trim()).filter((each) => each.startsWith(prefix));
  const secret = own.length === 1 ? own[0]?.slice(prefix.length) : undefined;
  return secret !== undefined && /^[\w-]{43}$/.test(secret) ? secret : undefined;
}

export function setCookie(secret: string, isSecure: boolean): string {
  return `${cookieName(isSecure)}=${secret}; ${attributes(sessionLifetimeMs / 1_000, isSecure)}`;
}

export function clearCookie(isSecure: boolean): string {
  return `${cookieName(isSecure)}=; ${attributes(0, isSecure)}`;
}

function attributes(maxAgeSeconds: number, isSecure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${isSecure ? '; Secure' : ''}`;
}

/**
 * A change that a cookie vouches for must come from our own page: the browser says where it comes from, and the page
 * knows the session's token, which no other site can read.
 *
 * @throws Problem `cross_site`
 */
export function requireOwnPage(request: Request, csrf: string): void {
  const given = request.headers.get('X-CSRF-Token');
  const knowsToken = given !== null && equalHash(Buffer.from(given), Buffer.from(csrf));
  if (!knowsToken || originOf(request) !== 'own') throw new Problem('cross_site');
}

/** Signing in with a foreign key would make a victim work in the attacker's tenant. @throws Problem `cross_site` */
export function refuseForeignPage(request: Request): void {
  if (originOf(request) === 'foreign') {
    throw new Problem('cross_site', 'Another site’s page may not sign in here');
  }
}

function originOf({ headers }: Request): 'own' | 'foreign' | 'unknown' {
  const site = headers.get('Sec-Fetch-Site');
  if (site !== null) return site === 'same-origin' ? 'own' : 'foreign';
  const origin = headers.get('Origin');
  if (origin === null) return 'unknown';
  const host = URL.canParse(origin) ? new URL(origin).host : undefined;
  return host === headers.get('Host') ? 'own' : 'foreign';
}
