import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import { match, navigate, path, to } from '../lib/router.ts';
import { isOperator, session } from '../lib/session.ts';
import { Empty, PageHead } from '../parts/bits.tsx';
import { AuditLog } from './audit-log.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { DevicePage } from './device.tsx';
import { Devices } from './devices.tsx';
import { Keys } from './keys.tsx';
import { Overview } from './overview.tsx';
import { Quarantine } from './quarantine.tsx';
import { QuarantineMessage } from './quarantine-message.tsx';
import { RateLimits } from './rate-limits.tsx';
import { RoutePage } from './route.tsx';
import { Routes } from './routes.tsx';
import { System } from './system.tsx';
import { Tenants } from './tenants.tsx';

type Params = Readonly<Record<string, string>>;
type Show = (params: Params) => ComponentChild;

/** The first that matches is shown. Keys make a page of another tenant, device or message start afresh. */
const pages: readonly (readonly [string, Show])[] = [
  ['/tenants', () => <Tenants />],
  ['/quarantine', () => <Quarantine key="all" />],
  ['/quarantine/:id', ({ id }) => <QuarantineMessage key={id} id={id ?? ''} />],
  ['/rate-limits', () => <RateLimits key="all" />],
  ['/system', () => <System />],
  ['/operator-keys', () => <Keys key="operators" />],
  ['/audit-log', () => <AuditLog key="all" />],
  ...tenantPages([
    ['', ({ tenant }) => <Overview key={tenant} tenant={tenant} />],
    ['/devices', ({ tenant }) => <Devices key={tenant} tenant={tenant} />],
    [
      '/devices/:device',
      ({ tenant, device }) => (
        <DevicePage key={`${tenant}/${device}`} tenant={tenant} device={device ?? ''} />
      ),
    ],
    ['/quarantine', ({ tenant }) => <Quarantine key={tenant} tenant={tenant} />],
    ['/quarantine/:id', ({ tenant, id }) => <QuarantineMessage key={id} tenant={tenant} id={id ?? ''} />],
    ['/routes', ({ tenant }) => <Routes key={tenant} tenant={tenant} />],
    [
      '/routes/:name',
      ({ tenant, name }) => <RoutePage key={`${tenant}/${name}`} tenant={tenant} name={name ?? ''} />,
    ],
    ['/dead-letters', ({ tenant }) => <DeadLetters key={tenant} tenant={tenant} />],
    ['/rate-limits', ({ tenant }) => <RateLimits key={tenant} tenant={tenant} />],
    ['/keys', ({ tenant }) => <Keys key={tenant} tenant={tenant} />],
    ['/audit-log', ({ tenant }) => <AuditLog key={tenant} tenant={tenant} />],
  ]),
];

type TenantParams = Params & { readonly tenant: string };

function tenantPages(
  own: readonly (readonly [string, (params: TenantParams) => ComponentChild])[],
): (readonly [string, Show])[] {
  return own.map(([pattern, show]) => [
    `/t/:tenant${pattern}`,
    (params) => show({ ...params, tenant: params.tenant ?? '' }),
  ]);
}

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

/** The operator's start is the installation, a tenant's its own part. */
function Home() {
  const tenant = session.value?.tenant_id ?? '';
  const isHome = isOperator.value;
  useEffect(() => {
    if (!isHome) navigate(to('t', tenant), { replace: true });
  }, [isHome, tenant]);
  return isHome ? <Overview key="all" /> : null;
}
