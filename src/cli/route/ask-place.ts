import { placeOf } from '../../delivery/place.ts';
import type { Destination } from '../../model/route-destination.ts';
import { askRoles, type RoleAnswer } from '../../roles/status/probe-nats.ts';
import { withNats } from '../connect.ts';
import type { Invocation } from '../define-command.ts';

/** What the delivery processes say of a route's destination. */
export interface PlaceState {
  /** How many answered. */
  readonly processes: number;
  /** How many of them leave it alone, after failures in a row. */
  readonly leftAloneBy: number;
  readonly failures: number;
  /** Until the first of them tries it again; 0: now. */
  readonly triedInMs: number;
}

/** Undefined where NATS cannot be asked: the command shows what the database knows. */
export async function askPlace(
  invocation: Pick<Invocation, 'config'>,
  { tenantId, destination }: { readonly tenantId: string; readonly destination: Destination },
): Promise<PlaceState | undefined> {
  try {
    const answers = await withNats(invocation, askRoles);
    return stateOf(
      answers.filter(({ role }) => role === 'delivery'),
      tenantId,
      placeOf(destination),
    );
  } catch {
    return undefined;
  }
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
