import { useState } from 'preact/hooks';
import { get } from '../lib/api.ts';
import { formatCount } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import { to } from '../lib/router.ts';
import { scopePath } from '../lib/scope.ts';
import { isOperator } from '../lib/session.ts';
import type { LimitedDevice, RateLimits as Limits } from '../lib/types.ts';
import { Empty, Facts, PageHead, Panel } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { TenantLimits } from './tenant-limits.tsx';

const refreshMs = 3_000;

export function RateLimits({ tenant }: { readonly tenant?: string }) {
  const path = `${scopePath(tenant)}/rate-limits`;
  const limits = useResource(path, (signal) => get<Limits>(path, {}, { signal }), { everyMs: refreshMs });
  const columns: readonly Column<LimitedDevice>[] = [
    ...(tenant === undefined
      ? [
          {
            title: 'Tenant',
            cell: ({ tenant_id }: LimitedDevice) =>
              tenant_id === null ? '' : <a href={to('t', tenant_id, 'rate-limits')}>{tenant_id}</a>,
          },
        ]
      : []),
    {
      title: 'Device',
      cell: ({ tenant_id, device_id }) =>
        device_id === null ? (
          ''
        ) : (
          <a href={to('t', tenant_id ?? tenant ?? '', 'devices', device_id)}>{device_id}</a>
        ),
      mono: true,
    },
    { title: 'Messages', cell: ({ limited }) => formatCount(limited), align: 'right' },
  ];
  const found = limits.data;
  const [isEditing, setEditing] = useState(false);
  return (
    <>
      <PageHead title="Rate limits" note="Per second of arrival, over all workers.">
        {tenant !== undefined && isOperator.value && (
          <button type="button" onClick={() => setEditing(true)}>
            Edit limits
          </button>
        )}
      </PageHead>
      <div class="stack">
        <Problem error={limits.error} retry={limits.reload} />
        <Panel title="What is allowed">
          <div class="flat-facts">{found !== undefined && <Facts rows={limitRows(found)} />}</div>
        </Panel>
        <Panel title="Refused in the last 10 minutes">
          <Table
            caption="Devices over their limit"
            columns={columns}
            rows={found?.limited}
            error={limits.error}
            keyOf={(row) => `${row.tenant_id ?? ''}/${row.device_id}`}
            placeholderRows={2}
            empty={
              <Empty title="Nobody was over a limit">
                <p>What is over it is quarantined as RATE_LIMITED, and can be replayed when there is room.</p>
              </Empty>
            }
          />
        </Panel>
      </div>
      {isEditing && tenant !== undefined && (
        <TenantLimits tenant={tenant} onClose={() => setEditing(false)} onDone={limits.reload} />
      )}
    </>
  );
}

const limitNames: Readonly<Record<string, string>> = {
  rate_per_second: 'Messages per second, all devices',
  burst: 'Burst, all devices',
  device_rate_per_second: 'Messages per second, each device',
  device_burst: 'Burst, each device',
};

function limitRows({ limits = {} }: Limits): (readonly [string, string])[] {
  return Object.entries(limits).map(([name, value]) => [
    limitNames[name] ?? name,
    value === null ? 'default' : formatCount(value),
  ]);
}
