import Type from 'typebox';
import { type Actor, levels } from '../../model/actor.ts';
import { hashToken } from '../../model/token.ts';
import { findKey } from '../../store/console/find-key.ts';
import { deleteSession, insertSession } from '../../store/console/sessions.ts';
import {
  clearCookie,
  createSessionSecret,
  csrfOf,
  hashSession,
  refuseForeignPage,
  sessionLifetimeMs,
  setCookie,
} from '../access/sessions.ts';
import { defineOpenOperation, defineOperation } from '../operation.ts';
import { Problem } from '../problem.ts';
import { noContent, ok } from '../reply.ts';
import { closed, nullable, oneOf, tenantIdSchema, timeSchema } from '../schemas.ts';

const tag = 'Session';

const session = closed({
  operator: Type.Boolean({ description: 'an operator’s key: every tenant, every operation' }),
  tenant_id: nullable(tenantIdSchema),
  level: nullable(oneOf(levels)),
  key_name: Type.String(),
  csrf: nullable(Type.String({ description: 'for X-CSRF-Token; null where the request came with a key' })),
  expires_at: nullable(timeSchema),
});

function describe(actor: Actor, csrf: string | null, expiresAt: Date | null) {
  const isTenant = actor.kind === 'tenant';
  return {
    operator: !isTenant,
    tenant_id: isTenant ? actor.tenantId : null,
    level: isTenant ? actor.level : null,
    key_name: actor.name,
    csrf,
    expires_at: expiresAt,
  };
}

const open = defineOpenOperation({
  method: 'POST',
  path: '/session',
  id: 'openSession',
  tag,
  summary: 'Sign in with a key',
  description:
    'For browsers: the answer sets the cookie `tributary_session` (over TLS `__Host-tributary_session`), which is good for 12 hours or until the key is revoked.',
  body: closed({ key: Type.String({ minLength: 1, maxLength: 512, writeOnly: true }) }),
  answers: { 200: { description: 'Signed in', schema: session } },
  handle: async ({ body }, { services, request, isSecure }) => {
    refuseForeignPage(request);
    const key = await findKey(services.pool, hashToken(body.key));
    if (key === undefined) throw new Problem('unauthorized', 'This key is unknown, expired or revoked');
    const secret = createSessionSecret(services.randomBytes);
    const expiresAt = await insertSession(services.pool, hashSession(secret), key, sessionLifetimeMs);
    return {
      ...ok(describe(key, csrfOf(secret), expiresAt)),
      headers: { 'Set-Cookie': setCookie(secret, isSecure) },
    };
  },
});

const show = defineOperation({
  method: 'GET',
  path: '/session',
  id: 'showSession',
  tag,
  summary: 'Who the request comes from',
  access: 'read',
  answers: { 200: { description: 'The key’s rights', schema: session } },
  handle: (_input, { actor, session: found }) =>
    ok(describe(actor, found?.csrf ?? null, found?.expiresAt ?? null)),
});

const close = defineOperation({
  method: 'DELETE',
  path: '/session',
  id: 'closeSession',
  tag,
  summary: 'Sign out',
  access: 'read',
  answers: { 204: { description: 'Signed out' } },
  handle: async (_input, { services, session: found, isSecure }) => {
    if (found !== undefined) await deleteSession(services.pool, found.sha256);
    return { ...noContent(), headers: { 'Set-Cookie': clearCookie(isSecure) } };
  },
});

export const sessionOperations = [open, show, close];
