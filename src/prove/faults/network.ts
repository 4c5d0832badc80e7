import { doors, pick } from '../load/message.ts';
import type { TcpProxy } from '../stack/proxy.ts';
import type { Stack } from '../stack/stack.ts';
import type { Fault } from './fault.ts';

const networkFault = (
  name: string,
  about: string,
  what: string,
  strike: (proxy: TcpProxy) => void,
): Fault => ({
  name,
  group: 'network',
  about,
  needs: ['proxies'],
  doors,
  strike: async ({ stack, random, note }) => {
    const [link, proxies] = pick([...linksOf(stack)], random);
    for (const proxy of proxies) strike(proxy);
    note(`${link} ${what}`);
  },
});

export const cutConnections = networkFault(
  'cut',
  'connections between two kinds of process are reset',
  'cut',
  (proxy) => proxy.cut(),
);

export const halfOpenConnections = networkFault(
  'half-open',
  'connections between two kinds of process fall silent',
  'half open',
  (proxy) => proxy.halfOpen(),
);

function linksOf({ links }: Stack): ReadonlyMap<string, readonly TcpProxy[]> {
  if (links === undefined) throw new Error('the stack has no proxies');
  return links.byName;
}
