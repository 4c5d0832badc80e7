import { isIP } from 'node:net';
import { settings } from '../../config/settings.ts';
import { refuseAddress } from '../../delivery/address/ranges.ts';
import type { Destination } from '../../model/route-destination.ts';

/**
 * Says so where the address itself shows that delivery will refuse it unless told otherwise; a name is judged at each
 * connection. What the delivery processes are told is not known here: the setting of this process is another matter.
 */
export function noteOnDestination(destination: Destination): string | undefined {
  const url = destination.kind === 'nats' ? undefined : destination.url;
  if (url === undefined) return undefined;
  const { hostname } = new URL(url);
  const address = hostname === 'localhost' ? '127.0.0.1' : hostname.replace(/^\[(.*)\]$/, '$1');
  const why = isIP(address) === 0 ? undefined : refuseAddress(address, []);
  if (why === undefined) return undefined;
  const { env } = settings.allowDestinations;
  return `${why}. Delivery sends there only if its processes were started with ${env} allowing it`;
}
