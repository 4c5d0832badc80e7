import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { path, to } from '../lib/router.ts';
import { isOperator, may, session } from '../lib/session.ts';
import { signOut } from '../lib/sign-in.ts';
import { tenantOf } from '../lib/tenant.ts';
import { chooseTheme, type Theme, theme } from '../lib/theme.ts';
import { Logo } from './logo.tsx';

interface Link {
  readonly href: string;
  readonly text: string;
}

const operatorLinks: readonly Link[] = [
  { href: '/', text: 'Overview' },
  { href: '/tenants', text: 'Tenants' },
  { href: '/quarantine', text: 'Quarantine' },
  { href: '/rate-limits', text: 'Rate limits' },
  { href: '/system', text: 'System' },
  { href: '/operator-keys', text: 'Operator keys' },
  { href: '/audit-log', text: 'Audit log' },
];

const tenantLinks = (tenant: string): readonly Link[] => [
  { href: to('t', tenant), text: 'Overview' },
  { href: to('t', tenant, 'devices'), text: 'Devices' },
  { href: to('t', tenant, 'quarantine'), text: 'Quarantine' },
  { href: to('t', tenant, 'routes'), text: 'Routes' },
  { href: to('t', tenant, 'dead-letters'), text: 'Dead letters' },
  { href: to('t', tenant, 'rate-limits'), text: 'Rate limits' },
  ...(may('admin') ? [{ href: to('t', tenant, 'keys'), text: 'Keys' }] : []),
  { href: to('t', tenant, 'audit-log'), text: 'Audit log' },
];

export function Shell({ children }: { readonly children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const tenant = tenantOf(path.value) ?? session.value?.tenant_id ?? undefined;
  return (
    <div class="shell">
      <a class="skip" href="#content">
        To the content
      </a>
      <div class={`side ${open ? 'open' : ''}`}>
        <div class="bar">
          <a class="brand" href="/">
            <Logo />
            Tributary
          </a>
          <button
            type="button"
            class="menu-button"
            aria-expanded={open}
            aria-controls="navigation"
            onClick={() => setOpen(!open)}
          >
            Menu
          </button>
        </div>
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: closes behind a followed link, which Enter clicks too */}
        <nav id="navigation" class="stacked" aria-label="Pages" onClick={() => setOpen(false)}>
          {isOperator.value && <Links title="Installation" links={operatorLinks} />}
          {tenant !== undefined && <Links title={`Tenant ${tenant}`} links={tenantLinks(tenant)} />}
        </nav>
        <Foot />
      </div>
      <main id="content">{children}</main>
    </div>
  );
}

function Links({ title, links }: { readonly title: string; readonly links: readonly Link[] }) {
  return (
    <div>
      <h2>{title}</h2>
      <ul>
        {links.map(({ href, text }) => (
          <li key={href}>
            <a href={href} aria-current={isCurrent(href) ? 'page' : undefined}>
              {text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A page below one of the list counts as that one; the overviews only as themselves. */
function isCurrent(href: string): boolean {
  const here = path.value;
  const depth = href.split('/').length;
  const isOverview = href === '/' || (href.startsWith('/t/') && depth === 3);
  return here === href || (!isOverview && here.startsWith(`${href}/`));
}

const themes: readonly (readonly [Theme, string])[] = [
  ['system', 'Theme: system'],
  ['light', 'Theme: light'],
  ['dark', 'Theme: dark'],
];

function Foot() {
  const current = session.value;
  return (
    <div class="foot">
      <select
        aria-label="Theme"
        value={theme.value}
        onChange={(event) => chooseTheme(event.currentTarget.value as Theme)}
      >
        {themes.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <div class="row">
        <a href="/api/docs">API</a>
        <span class="muted">{current?.operator === true ? 'operator' : `may ${current?.level}`}</span>
      </div>
      <button type="button" onClick={() => void signOut()}>
        Sign out
      </button>
    </div>
  );
}
