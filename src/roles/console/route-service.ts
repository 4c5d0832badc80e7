import type { NatsConnection } from '@nats-io/nats-core';
import type { Config } from '../../config/settings.ts';
import type { RouteService } from '../../console/route-service.ts';
import { parseSecretsKey } from '../../model/route-secrets.ts';
import { createStoredMatcher } from '../routes/match-stored.ts';
import { noteOnDestination } from '../routes/note-on-destination.ts';
import { outgoingOf, parcelsOf } from '../routes/outgoing.ts';
import { askPlaceState } from '../routes/place-state.ts';

function parseKey(text: string): Uint8Array {
  try {
    return parseSecretsKey(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`TRIBUTARY_SECRETS_KEY: ${why}`, { cause: error });
  }
}

/**
 * The API's hold on routes, by the rules of workers and delivery and the process's settings.
 * @throws Error where the secrets' key is none
 */
export function createRouteService(
  config: Config,
  nats: () => NatsConnection | undefined,
  wallClock: () => number,
): RouteService {
  const { secretsKey, routesPerTenant } = config;
  return {
    secretsKey: secretsKey === undefined ? undefined : parseKey(secretsKey),
    maxPerTenant: routesPerTenant,
    noteOn: noteOnDestination,
    placeState: async (tenantId, destination) => {
      const nc = nats();
      if (nc === undefined) return undefined;
      return askPlaceState(nc, { tenantId, destination }).catch(() => undefined);
    },
    foresee({ route, secrets, messages, show }) {
      const match = createStoredMatcher({ ...route, firesOn: ['message'] });
      const results = messages.map((message) => ({ message, match: match(message) }));
      const matching = results.filter((each) => each.match === 'match').map(({ message }) => message);
      const parcels = parcelsOf(route.routeId, route.destination, matching, wallClock());
      return {
        matched: matching.length,
        conditionErrors: results.filter((each) => each.match === 'error').length,
        examples: parcels
          .slice(0, show)
          .map((parcel) => outgoingOf(parcel, route.destination, secrets, wallClock)),
      };
    },
  };
}
