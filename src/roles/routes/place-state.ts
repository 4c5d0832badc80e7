import type { NatsConnection } from '@nats-io/nats-core';
import type { PlaceState } from '../../console/route-service.ts';
import { placeOf } from '../../delivery/place.ts';
import type { Destination } from '../../model/route-destination.ts';
import { askRoles, type RoleAnswer } from '../status/probe-nats.ts';

export type { PlaceState };

/** What the delivery processes say of a route's destination. @throws where NATS cannot be asked */
export async function askPlaceState(
  nc: NatsConnection,
  { tenantId, destination }: { readonly tenantId: string; readonly destination: Destination },
): Promise<PlaceState> {
  const answers = await askRoles(nc);
  return stateOf(
    answers.filter(({ role }) => role === 'delivery'),
    tenantId,
    placeOf(destination),
  );
}

function stateOf(answers: readonly RoleAnswer[], tenantId: string, place: string): PlaceState {
  const found = answers.flatMap(({ down }) =>
    (Array.isArray(down) ? down : []).filter((each) => each?.tenantId === tenantId && each.place === place),
  );
  const numbers = (name: 'failures' | 'forMs') => found.map((each) => Number(each[name]));
  return {
    processes: answers.length,
    leftAloneBy: found.length,
    failures: Math.max(0, ...numbers('failures')),
    triedInMs: found.length === 0 ? 0 : Math.min(...numbers('forMs')),
  };
}
