import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { type Cidr, refuseAddress } from './ranges.ts';

/** A destination whose address nothing may be sent to. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'ADDRESS_REFUSED';
}

/** A socket may wrap the error that its look-up gave it. */
export function isAddressRefused(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ADDRESS_REFUSED';
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** All addresses of a name. Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export const resolveWithSystem: Resolve = (hostname) => systemLookup(hostname, { all: true });

export interface AddressGuard {
  /**
   * To be asked before each connection: sockets do not look up what is an address already.
   *
   * @throws AddressRefusedError for an address, in whatever spelling the socket would take, that is not allowed
   */
  requireAllowed(hostname: string): void;
  /** For the `lookup` of a socket, which connects to nothing else than what this gives it. */
  readonly lookup: LookupFunction;
}

/**
 * Names are resolved and judged in one step, at each connection, and the socket gets the addresses that were judged:
 * a name that resolves differently a moment later changes nothing. One address that is not allowed refuses the name.
 */
export function createAddressGuard(allowed: readonly Cidr[], resolve: Resolve): AddressGuard {
  const requireAllowed = (address: string, hostname = address) => {
    const why = refuseAddress(address, allowed);
    if (why === undefined) return;
    const of = hostname === address ? '' : `${hostname} resolves to an address that is not allowed: `;
    throw new AddressRefusedError(`${of}${why}. TRIBUTARY_ALLOW_DESTINATIONS allows ranges`);
  };
  const judged = async (hostname: string, family: number) => {
    const found = await resolve(hostname);
    for (const { address } of found) requireAllowed(address, hostname);
    const wanted = family === 0 ? found : found.filter((each) => each.family === family);
    if (wanted.length > 0) return wanted;
    throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
  };
  return {
    requireAllowed: (hostname) => {
      const bare = hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(bare) !== 0) requireAllowed(bare);
    },
    lookup: (hostname, options, callback) => {
      judged(hostname, familyOf(options.family)).then(
        (found) => {
          const [first] = found;
          if (options.all === true) callback(null, [...found]);
          else callback(null, first?.address ?? '', first?.family ?? 0);
        },
        (error: Error) => callback(error, '', 0),
      );
    },
  };
}

function familyOf(family: number | 'IPv4' | 'IPv6' | undefined): number {
  if (family === 'IPv4') return 4;
  return family === 'IPv6' ? 6 : (family ?? 0);
}
