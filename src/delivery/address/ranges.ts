import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Cidr = readonly [Address, number];

/**
 * @param text comma separated, `10.1.0.0/16,fd00::/8`
 * @throws TypeError that names the part that is none
 */
export function parseCidrs(text: string): Cidr[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '').map(parseCidr);
}

function parseCidr(text: string): Cidr {
  // A short form like 10/8 means different things to different programs.
  const address = text.split('/')[0] ?? '';
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
  if (isAddress && ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  throw new TypeError(`${JSON.stringify(text)} is not a CIDR like 10.1.0.0/16 or fd00::/8.`);
}

/**
 * Why nothing may be sent to an address; undefined when it may. What is not plainly public is refused: every range
 * that the registries set apart (private, shared, loopback, link-local, multicast, documentation, …), and every IPv6
 * address that stands for an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo), whichever that is. An allowed CIDR
 * counts for the address as it is written: `10.0.0.0/8` does not allow `::ffff:10.0.0.1`.
 *
 * @param text as the resolver or a URL gave it: `192.0.2.1`, `2001:db8::1`
 */
export function refuseAddress(text: string, allowed: readonly Cidr[]): string | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) {
    return `${text} is not an address`;
  }
  // A zone names an interface of this machine.
  if (text.includes('%')) return `${text} names an interface`;
  const address = ipaddr.parse(text);
  if (allowed.some(([base, bits]) => isIn(address, base, bits))) return undefined;
  const why = address instanceof ipaddr.IPv4 ? whyNotPublic4(address) : whyNotPublic6(address);
  return why === undefined ? undefined : `${text} is ${why}`;
}

function isIn(address: Address, base: Address, bits: number): boolean {
  return address.kind() === base.kind() && address.match(base, bits);
}

function whyNotPublic4(address: ipaddr.IPv4): string | undefined {
  const range = address.range();
  return range === 'unicast' ? undefined : nameOf(range);
}

/** The only block that public addresses are given out of. */
const publicBlock = ipaddr.IPv6.parse('2000::');
const publicBlockBits = 3;
/** 2001::/23 is set apart whole: Teredo, benchmarks, ORCHID, AS112 and what is yet to come. */
const protocolBlock = ipaddr.IPv6.parse('2001::');
const protocolBlockBits = 23;
const documentationBlock = ipaddr.IPv6.parse('3fff::');
const documentationBlockBits = 20;

function whyNotPublic6(address: ipaddr.IPv6): string | undefined {
  const range = address.range();
  if (range !== 'unicast') return nameOf(range);
  if (!address.match(publicBlock, publicBlockBits)) return 'in no public block';
  if (address.match(protocolBlock, protocolBlockBits)) return 'set apart for protocols';
  return address.match(documentationBlock, documentationBlockBits) ? 'for documentation' : undefined;
}

const names: Readonly<Record<string, string>> = {
  carrierGradeNat: 'shared by carriers (100.64.0.0/10)',
  uniqueLocal: 'private',
  linkLocal: 'link-local',
  ipv4Mapped: 'an IPv4 address in IPv6 form',
  rfc6145: 'an IPv4 address in IPv6 form',
  rfc6052: 'a NAT64 address',
};

function nameOf(range: string): string {
  return names[range] ?? range;
}
