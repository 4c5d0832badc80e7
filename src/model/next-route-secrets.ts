import { checkHeader, type Destination } from './route-destination.ts';
import { RouteFault } from './route-fault.ts';
import type { RouteSecrets } from './route-secrets.ts';
import { parseSigningSecret } from './signing-secret.ts';

/** What is to change of a route's secrets; what is undefined stays as it is. */
export interface SecretChanges {
  /** `whsec_…` */
  readonly signingSecret?: string | undefined;
  /** Sign no request. */
  readonly unsigned?: boolean | undefined;
  /** Null: none any more. */
  readonly headers?: Readonly<Record<string, string>> | null | undefined;
  readonly password?: string | null | undefined;
}

export interface NextSecrets {
  readonly secrets: RouteSecrets;
  /** Made here: to be shown, once. */
  readonly generated: string | undefined;
}

/**
 * The secrets as they are to be. A webhook that has none yet is given a signing secret, unless it is to sign nothing.
 *
 * @param before as they are; undefined: the route is new, or had another kind of destination
 * @throws RouteFault for what is no secret, or is of another kind of destination
 */
export function nextRouteSecrets(
  kind: Destination['kind'],
  changes: SecretChanges,
  before: RouteSecrets | undefined,
  newSigningSecret: () => string,
): NextSecrets {
  refuseForeign(kind, changes);
  if (kind === 'nats') return { secrets: {}, generated: undefined };
  if (kind === 'mqtt') {
    const password = next(changes.password, before?.password);
    if (password === '') throw fault('The password is empty');
    return { secrets: password === undefined ? {} : { password }, generated: undefined };
  }
  const headers = next(changes.headers, before?.headers);
  for (const [name, value] of Object.entries(headers ?? {})) checkHeader(name, value);
  const { signing, generated } = signingSecrets(changes, before, newSigningSecret);
  return {
    secrets: {
      ...(signing === undefined ? {} : { signing_secrets: signing }),
      ...(headers === undefined ? {} : { headers: { ...headers } }),
    },
    generated,
  };
}

/**
 * Headers and passwords that are stored go to the place that they were given for, and to no other: who may change a route may
 * not see them, and would only have to send them to a place of their own. Signatures give nothing away.
 *
 * @param before as they are stored
 * @throws RouteFault where the destination moves, and they are not given anew or taken away
 */
export function requireSecretsAnew(
  from: Destination,
  to: Destination,
  before: RouteSecrets,
  changes: SecretChanges,
): void {
  if (isSamePlace(from, to)) return;
  for (const name of ['headers', 'password'] as const) {
    if (before[name] !== undefined && changes[name] === undefined)
      throw fault(
        `The destination is another place: give the secret ${name} anew, or null for none. What is stored is not sent elsewhere`,
      );
  }
}

/** Whether the same server hears what is sent: its paths and queries are one place. */
export function isSamePlace(one: Destination, other: Destination): boolean {
  return placeOf(one) === placeOf(other);
}

function placeOf(destination: Destination): string {
  if (destination.kind === 'nats') return 'nats';
  const { kind, url } = destination;
  if (url === undefined) return kind;
  const { protocol, host } = new URL(url);
  return `${kind} ${protocol}//${host}`;
}

function signingSecrets(
  { signingSecret, unsigned }: SecretChanges,
  before: RouteSecrets | undefined,
  newSigningSecret: () => string,
): { signing: string[] | undefined; generated: string | undefined } {
  if (unsigned === true) {
    if (signingSecret !== undefined) throw fault('A route that signs nothing has no signing secret');
    return { signing: undefined, generated: undefined };
  }
  if (signingSecret !== undefined)
    return { signing: [checkSigningSecret(signingSecret)], generated: undefined };
  const isToBeSigned = unsigned === false && before?.signing_secrets === undefined;
  if (before !== undefined && !isToBeSigned) return { signing: before.signing_secrets, generated: undefined };
  const generated = newSigningSecret();
  return { signing: [generated], generated };
}

/** @throws RouteFault; the secret itself is not in it */
function checkSigningSecret(secret: string): string {
  try {
    parseSigningSecret(secret);
    return secret;
  } catch (error) {
    throw fault(error instanceof Error ? error.message : String(error));
  }
}

function next<T>(change: T | null | undefined, before: T | undefined): T | undefined {
  if (change === undefined) return before;
  return change ?? undefined;
}

const kindOf: Readonly<Record<keyof SecretChanges, Destination['kind']>> = {
  signingSecret: 'webhook',
  unsigned: 'webhook',
  headers: 'webhook',
  password: 'mqtt',
};

function refuseForeign(kind: Destination['kind'], changes: SecretChanges): void {
  for (const [name, of] of Object.entries(kindOf)) {
    if (of !== kind && changes[name as keyof SecretChanges] !== undefined)
      throw fault(`${name === 'password' ? 'A password' : 'Signing and headers'} are of a ${of} destination`);
  }
}

function fault(message: string): RouteFault {
  return new RouteFault('secrets', message);
}
