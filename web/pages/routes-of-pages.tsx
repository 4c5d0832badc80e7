import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import { match, navigate, path, to } from '../lib/router.ts';
import { isOperator, session } from '../lib/session.ts';
import { Empty, PageHead } from '../parts/bits.tsx';
import { DevicePage } from './device.tsx';
import { Devices } from './devices.tsx';
import { Tenants } from './tenants.tsx';

type Params = Readonly<Record<string, string>>;
type Show = (params: Params) => ComponentChild;

const of = (params: Params, name: string): string => params[name] ?? '';

/** The first that matches is shown. `key` makes a page of another tenant or device start afresh. */
const pages: readonly (readonly [string, Show])[] = [
  ['/tenants', () => <Tenants />],
  ['/t/:tenant/devices', (p) => <Devices key={of(p, 'tenant')} tenant={of(p, 'tenant')} />],
  [
    '/t/:tenant/devices/:device',
    (p) => (
      <DevicePage
        key={`${of(p, 'tenant')}/${of(p, 'device')}`}
        tenant={of(p, 'tenant')}
        device={of(p, 'device')}
      />
    ),
  ],
];

export function CurrentPage() {
  const here = path.value;
  if (here === '/') return <Home />;
  for (const [pattern, show] of pages) {
    const params = match(pattern, here);
    if (params !== undefined) return <>{show(params)}</>;
  }
  return (
    <>
      <PageHead title="No such page" />
      <Empty title={`There is nothing at ${here}.`}>
        <a href="/">To the overview</a>
      </Empty>
    </>
  );
}

/** The operator's start is the installation, a tenant's its own devices. */
function Home() {
  const target = isOperator.value ? '/tenants' : to('t', session.value?.tenant_id ?? '', 'devices');
  useEffect(() => navigate(target, { replace: true }), [target]);
  return null;
}
