import type { Actor } from '../../model/actor.ts';
import { hashToken } from '../../model/token.ts';
import { findKey } from '../../store/console/find-key.ts';
import { findSession } from '../../store/console/sessions.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { Problem } from '../problem.ts';
import { csrfOf, hashSession, type OpenSession, requireOwnPage, sessionSecretOf } from './sessions.ts';
import type { Throttle } from './throttle.ts';

export interface Authenticated {
  readonly actor: Actor;
  /** Undefined where the request came with a key. */
  readonly session: OpenSession | undefined;
}

/** Who asks. */
export interface Caller {
  readonly request: Request;
  /** The peer's, or what a proxy that is trusted says. */
  readonly address: string;
  /** Came over TLS, as far as we can know. */
  readonly isSecure: boolean;
}

/** Bearers that are no key at all are not looked up. */
const keyPattern = /^Bearer +([\x21-\x7e]{1,512})$/i;

/**
 * Whose request it is, asked of the database each time, so that a revoked key ends at once. A key comes before a cookie.
 * Changes that come with a cookie must come from our own page.
 *
 * @param strangers counts what failed, by address
 * @throws Problem `unauthorized`, `cross_site`, `too_many_requests`
 */
export async function authenticate(
  caller: Caller,
  db: Queryable,
  strangers: Throttle,
): Promise<Authenticated> {
  const { request, address } = caller;
  const found = await find(caller, db);
  if (found === undefined) {
    strangers.take(address);
    throw new Problem('unauthorized');
  }
  const { session } = found;
  if (session !== undefined && !isReading(request.method)) requireOwnPage(request, session.csrf);
  return found;
}

/** Whether the key or session of an earlier request still is one. */
export async function isStillValid(caller: Caller, db: Queryable): Promise<boolean> {
  return (await find(caller, db)) !== undefined;
}

function find(caller: Caller, db: Queryable): Promise<Authenticated | undefined> {
  const authorization = caller.request.headers.get('Authorization');
  return authorization === null ? ofCookie(caller, db) : ofKey(authorization, db);
}

async function ofKey(authorization: string, db: Queryable): Promise<Authenticated | undefined> {
  const secret = keyPattern.exec(authorization)?.[1];
  const actor = secret === undefined ? undefined : await findKey(db, hashToken(secret));
  return actor === undefined ? undefined : { actor, session: undefined };
}

async function ofCookie({ request, isSecure }: Caller, db: Queryable): Promise<Authenticated | undefined> {
  const secret = sessionSecretOf(request.headers, isSecure);
  if (secret === undefined) return undefined;
  const sha256 = hashSession(secret);
  const found = await findSession(db, sha256);
  if (found === undefined) return undefined;
  return { actor: found.key, session: { sha256, csrf: csrfOf(secret), expiresAt: found.expiresAt } };
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
