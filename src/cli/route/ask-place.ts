import type { Destination } from '../../model/route-destination.ts';
import { askPlaceState, type PlaceState } from '../../roles/routes/place-state.ts';
import { withNats } from '../connect.ts';
import type { Invocation } from '../define-command.ts';

/** Undefined where NATS cannot be asked: the command shows what the database knows. */
export async function askPlace(
  invocation: Pick<Invocation, 'config'>,
  route: { readonly tenantId: string; readonly destination: Destination },
): Promise<PlaceState | undefined> {
  try {
    return await withNats(invocation, (nc) => askPlaceState(nc, route));
  } catch {
    return undefined;
  }
}
