import type { Static, TObject } from 'typebox';
import { UnsealError } from '../../../lib/seal.ts';
import type { TenantId } from '../../../model/identifiers.ts';
import type { SecretChanges } from '../../../model/next-route-secrets.ts';
import type { Route } from '../../../model/route.ts';
import { createConditionCompiler } from '../../../model/route-condition.ts';
import { type Destination, parseDestination } from '../../../model/route-destination.ts';
import { openRouteSecrets, type RouteSecrets, sealRouteSecrets } from '../../../model/route-secrets.ts';
import { checkTopicFilter } from '../../../model/topic-filter.ts';
import { Problem } from '../../problem.ts';
import type { RouteService } from '../../route-service.ts';
import type { destinationInput, routeMembers } from './route-schema.ts';

export type Draft = Omit<Route, 'routeId'>;

export type RouteInput = Static<TObject<typeof routeMembers>> & {
  readonly destination?: Static<typeof destinationInput>;
};

/**
 * A route as it is to be.
 * @param before as it is; undefined: it is to be made
 * @throws RouteFault for what is refused, with the place in the text
 */
export function draftRoute(
  { tenantId, name }: { readonly tenantId: TenantId; readonly name: string },
  body: RouteInput,
  before?: Draft,
): Draft {
  const topicFilter = body.topic_filter ?? before?.topicFilter ?? '#';
  checkTopicFilter(topicFilter, tenantId);
  const condition = next(body.condition, before?.condition);
  if (condition !== undefined) createConditionCompiler()(condition);
  return {
    tenantId,
    name,
    topicFilter,
    condition,
    firesOn: body.fires_on ?? before?.firesOn ?? ['message'],
    destination: parseDestination(body.destination ?? before?.destination, tenantId),
    ratePerSecond: next(body.rate_per_second, before?.ratePerSecond),
    burst: next(body.burst, before?.burst),
    enabled: body.enabled ?? before?.enabled ?? true,
  };
}

function next<T>(given: T | null | undefined, before: T | undefined): T | undefined {
  return given === undefined ? before : (given ?? undefined);
}

export function secretChangesOf(secrets: RouteInput['secrets']): SecretChanges {
  const { signing_secret: signingSecret, unsigned, headers, password } = secrets ?? {};
  return { signingSecret, unsigned, headers, password };
}

interface RouteName {
  readonly tenantId: string;
  readonly name: string;
}

const noKey = () =>
  new Problem(
    'conflict',
    'Routes’ secrets are sealed with TRIBUTARY_SECRETS_KEY, and this console has none: give it the one of the delivery processes',
  );

/** @throws Problem when there is no key */
export function sealSecrets(
  secrets: RouteSecrets,
  { tenantId, name }: RouteName,
  { secretsKey }: RouteService,
): Buffer | undefined {
  if (Object.keys(secrets).length === 0) return undefined;
  if (secretsKey === undefined) throw noKey();
  return sealRouteSecrets(secrets, secretsKey, tenantId, name);
}

/** @throws Problem when there is no key, or another one */
export function openSecrets(
  sealed: Uint8Array | undefined,
  { tenantId, name }: RouteName,
  { secretsKey }: RouteService,
): RouteSecrets {
  if (sealed === undefined) return {};
  if (secretsKey === undefined) throw noKey();
  try {
    return openRouteSecrets(sealed, secretsKey, tenantId, name);
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    throw new Problem(
      'conflict',
      `The secrets of route ${name} were sealed with another key than the console’s`,
      {
        cause: error,
      },
    );
  }
}

/** It was checked when it was stored. */
export function destinationOf({ destination }: { readonly destination: string }): Destination {
  return JSON.parse(destination) as Destination;
}

/** For the audit log: no secret, only which were given. */
export function withoutSecrets({ secrets, ...rest }: RouteInput): Readonly<Record<string, unknown>> {
  return secrets === undefined ? rest : { ...rest, secrets: Object.keys(secrets) };
}
