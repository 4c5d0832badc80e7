import { createAddressGuard, resolveWithSystem } from '../../delivery/address/guarded-lookup.ts';
import { parseCidrs } from '../../delivery/address/ranges.ts';
import type { Destination } from '../../model/route-destination.ts';
import type { Invocation } from '../define-command.ts';

/** Says so at once where the address itself shows that delivery will refuse it; a name is judged at each connection. */
export function noteAddress(
  { terminal, config }: Pick<Invocation, 'terminal' | 'config'>,
  destination: Destination,
): void {
  const url = destination.kind === 'nats' ? undefined : destination.url;
  if (url === undefined) return;
  const { hostname } = new URL(url);
  try {
    const guard = createAddressGuard(parseCidrs(config.allowDestinations ?? ''), resolveWithSystem);
    guard.requireAllowed(hostname === 'localhost' ? '127.0.0.1' : hostname);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    terminal.note(`Note: ${why}. Where delivery runs without one that does, nothing is sent there.`);
  }
}
