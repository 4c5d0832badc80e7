import { useState } from 'preact/hooks';
import { apiPath, get } from '../lib/api.ts';
import { destinationText } from '../lib/destination.ts';
import { formatCount } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import { to } from '../lib/router.ts';
import { may } from '../lib/session.ts';
import type { Page, Route } from '../lib/types.ts';
import { Badge, Empty, PageHead } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { RouteForm } from './route-form.tsx';

const refreshMs = 5_000;

const columns: readonly Column<Route>[] = [
  { title: 'Route', cell: (row) => <a href={to('t', row.tenant_id, 'routes', row.name)}>{row.name}</a> },
  { title: 'State', cell: (row) => <RouteBadge route={row} /> },
  { title: 'When', cell: (row) => row.condition ?? row.topic_filter, mono: true, wideOnly: true },
  { title: 'To', cell: (row) => destinationText(row.destination), mono: true },
  { title: 'Delivered', cell: ({ state }) => formatCount(state?.delivered ?? 0), align: 'right' },
  { title: 'Waiting', cell: ({ state }) => formatCount(state?.waiting ?? 0), align: 'right', wideOnly: true },
  {
    title: 'Dead',
    cell: ({ tenant_id, name, state }) => (
      <DeadLetters tenant={tenant_id} name={name} held={state?.held ?? 0} />
    ),
    align: 'right',
  },
];

interface DeadLettersProps {
  readonly tenant: string;
  readonly name: string;
  readonly held: number;
}

/** Leads somewhere only where there is something to see. */
export function DeadLetters({ tenant, name, held }: DeadLettersProps) {
  if (held === 0) return <>0</>;
  return (
    <a href={`${to('t', tenant, 'dead-letters')}?route=${encodeURIComponent(name)}`}>{formatCount(held)}</a>
  );
}

export function RouteBadge({ route }: { readonly route: Route }) {
  if (route.enabled && (route.state?.held ?? 0) > 0) return <Badge tone="warn">on, gave some up</Badge>;
  if (route.enabled) return <Badge tone="good">on</Badge>;
  return route.disabled_reason === null ? (
    <Badge tone="quiet">off</Badge>
  ) : (
    <Badge tone="bad">disabled</Badge>
  );
}

export function Routes({ tenant }: { readonly tenant: string }) {
  const [isAdding, setAdding] = useState(false);
  const path = `${apiPath('tenants', tenant)}/routes`;
  const routes = useResource(path, (signal) => get<Page<Route>>(path, { limit: 500 }, { signal }), {
    everyMs: refreshMs,
  });
  return (
    <>
      <PageHead title="Routes" note="Accepted messages that go on to webhooks, MQTT and NATS.">
        {may('write') && (
          <button type="button" class="primary" onClick={() => setAdding(true)}>
            Add route
          </button>
        )}
      </PageHead>
      <Problem error={routes.error} retry={routes.reload} />
      <Table
        caption="Routes"
        columns={columns}
        rows={routes.data?.items}
        error={routes.error}
        keyOf={(row) => row.name}
        empty={
          <Empty title="No routes yet">
            <p>
              A route sends what matches its filter and condition to a webhook, an MQTT topic or a NATS
              subject.
            </p>
          </Empty>
        }
      />
      {isAdding && <RouteForm tenant={tenant} onClose={() => setAdding(false)} onDone={routes.reload} />}
    </>
  );
}
