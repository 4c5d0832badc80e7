import { apiPath, get } from '../lib/api.ts';
import { useResource } from '../lib/resource.ts';
import { to } from '../lib/router.ts';
import type { Page, Rejected } from '../lib/types.ts';
import { Empty, Panel, Time } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';

const refreshMs = 10_000;

export function DeviceRejected({ tenant, device }: { readonly tenant: string; readonly device: string }) {
  const path = `${apiPath('tenants', tenant, 'devices', device)}/rejected`;
  const rejected = useResource(path, (signal) => get<Page<Rejected>>(path, { limit: 10 }, { signal }), {
    everyMs: refreshMs,
  });
  const columns: readonly Column<Rejected>[] = [
    {
      title: 'Reason',
      cell: (row) => <a href={to('t', tenant, 'quarantine', String(row.id))}>{row.reason}</a>,
      mono: true,
    },
    { title: 'Detail', cell: (row) => row.detail, text: true },
    { title: 'Arrived', cell: (row) => <Time at={row.arrived_at} ago /> },
  ];
  return (
    <Panel
      title="Rejected messages"
      aside={
        <a href={`${to('t', tenant, 'quarantine')}?device_id=${encodeURIComponent(device)}`}>All of them</a>
      }
    >
      <Problem error={rejected.error} retry={rejected.reload} />
      <Table
        caption="Rejected messages"
        columns={columns}
        rows={rejected.data?.items}
        error={rejected.error}
        keyOf={(row) => String(row.id)}
        placeholderRows={1}
        empty={<Empty title="Nothing of this device was rejected" />}
      />
    </Panel>
  );
}
