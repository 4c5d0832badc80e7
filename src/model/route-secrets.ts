import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { seal, sealKeyBytes, unseal } from '../lib/seal.ts';

const text = Type.String({ minLength: 1 });

/** What a route's destination needs and nobody is shown. Stored sealed in `routes.secrets`. */
const routeSecretsSchema = Type.Object(
  {
    /** Of a webhook, `whsec_…`; several while one is being replaced: each request carries a signature of each. */
    signing_secrets: Type.Optional(Type.Array(text, { minItems: 1, maxItems: 4 })),
    /** Further headers of a webhook. */
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    password: Type.Optional(text),
  },
  { additionalProperties: false },
);

export type RouteSecrets = Static<typeof routeSecretsSchema>;

const validator = Compile(routeSecretsSchema);

/**
 * The key that seals routes' secrets, from base64 of 32 bytes.
 *
 * @throws TypeError with one sentence; the text itself is not in it
 */
export function parseSecretsKey(base64: string): Buffer {
  const key = Buffer.from(base64, 'base64');
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(base64);
  if (isBase64 && key.length === sealKeyBytes) return key;
  throw new TypeError('The secrets key is not base64 of 32 bytes: make one with openssl rand -base64 32.');
}

/** Seals the secrets for this route of this tenant: copied to another one they do not open. */
export function sealRouteSecrets(
  secrets: RouteSecrets,
  key: Uint8Array,
  tenantId: string,
  routeName: string,
): Buffer {
  return seal(JSON.stringify(secrets), key, purposeOf(tenantId, routeName));
}

/** @throws UnsealError when they were sealed with another key, or for another route */
export function openRouteSecrets(
  sealed: Uint8Array,
  key: Uint8Array,
  tenantId: string,
  routeName: string,
): RouteSecrets {
  const secrets: unknown = JSON.parse(unseal(sealed, key, purposeOf(tenantId, routeName)));
  if (validator.Check(secrets)) return secrets;
  throw new TypeError(`The secrets of route ${tenantId}/${routeName} are not in a known form.`);
}

function purposeOf(tenantId: string, routeName: string): string {
  return `route secrets of ${tenantId}/${routeName}`;
}
