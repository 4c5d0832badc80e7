import { useEffect, useState } from 'preact/hooks';
import { apiPath, get } from '../lib/api.ts';
import { useResource } from '../lib/resource.ts';
import { query, setQuery, to } from '../lib/router.ts';
import { may } from '../lib/session.ts';
import type { Device, Page, Site } from '../lib/types.ts';
import { Empty, PageHead, StatusBadge, Time } from '../parts/bits.tsx';
import { Select } from '../parts/field.tsx';
import { Pager, usePaging } from '../parts/pager.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { AddDevice } from './add-device.tsx';
import { ImportDevices } from './import-devices.tsx';

const pageSize = 100;
const refreshMs = 10_000;

const columns: readonly Column<Device>[] = [
  {
    title: 'Device',
    cell: (row) => <a href={to('t', row.tenant_id, 'devices', row.device_id)}>{row.device_id}</a>,
    mono: true,
  },
  { title: 'Status', cell: (row) => <StatusBadge status={shownStatus(row)} /> },
  { title: 'Last seen', cell: (row) => <Time at={row.last_seen_at} ago /> },
  { title: 'Site', cell: (row) => row.site_id, wideOnly: true },
  { title: 'Registered', cell: (row) => <Time at={row.created_at} />, wideOnly: true },
];

export const shownStatus = (device: Device): string | null =>
  device.revoked_at === null ? device.status : 'REVOKED';

const statuses: readonly (readonly [string, string])[] = [
  ['', 'All'],
  ['ONLINE', 'Online'],
  ['STALE', 'Stale'],
  ['OFFLINE', 'Offline'],
  ['REVOKED', 'Revoked'],
];

export function Devices({ tenant }: { readonly tenant: string }) {
  const paging = usePaging();
  const [adding, setAdding] = useState(false);
  const [importing, setImporting] = useState(false);
  const filter = {
    search: query.value.get('search') ?? '',
    status: query.value.get('status') ?? '',
    site_id: query.value.get('site_id') ?? '',
  };
  const { status, ...others } = filter;
  const asked = status === 'REVOKED' ? { ...others, revoked: true } : filter;
  const isFiltered = Object.values(filter).some((value) => value !== '');
  const devices = useResource(
    JSON.stringify([tenant, filter, paging.cursor]),
    (signal) =>
      get<Page<Device>>(
        `${apiPath('tenants', tenant)}/devices`,
        { ...asked, limit: pageSize, cursor: paging.cursor },
        { signal },
      ),
    { everyMs: refreshMs },
  );
  const change = (changes: Readonly<Record<string, string>>) => {
    paging.reset();
    setQuery(changes);
  };
  return (
    <>
      <PageHead title="Devices" note={`Of tenant ${tenant}`}>
        {may('write') && (
          <>
            <button type="button" onClick={() => setImporting(true)}>
              Import
            </button>
            <button type="button" class="primary" onClick={() => setAdding(true)}>
              Add device
            </button>
          </>
        )}
      </PageHead>
      <search class="filters">
        <SearchBox value={filter.search} onChange={(search) => change({ search })} />
        <Select
          inline
          label="Status"
          value={filter.status}
          options={statuses}
          onChange={(status) => change({ status })}
        />
        <SiteFilter tenant={tenant} value={filter.site_id} onChange={(site_id) => change({ site_id })} />
      </search>
      <Problem error={devices.error} retry={devices.reload} />
      <Table
        caption={`Devices of tenant ${tenant}`}
        columns={columns}
        rows={devices.data?.items}
        error={devices.error}
        keyOf={(row) => row.device_id}
        placeholderRows={20}
        empty={<NoDevices isFiltered={isFiltered} onAdd={() => setAdding(true)} />}
      />
      <Pager paging={paging} next={devices.data?.next} />
      {importing && (
        <ImportDevices
          tenant={tenant}
          onClose={() => {
            setImporting(false);
            devices.reload();
          }}
        />
      )}
      {adding && (
        <AddDevice
          tenant={tenant}
          onClose={() => {
            setAdding(false);
            devices.reload();
          }}
        />
      )}
    </>
  );
}

interface SiteFilterProps {
  readonly tenant: string;
  readonly value: string;
  readonly onChange: (siteId: string) => void;
}

function SiteFilter({ tenant, value, onChange }: SiteFilterProps) {
  const path = `${apiPath('tenants', tenant)}/sites`;
  const sites = useResource(path, (signal) => get<Page<Site>>(path, { limit: 500 }, { signal }));
  const known =
    sites.data?.items.map(({ site_id, devices }) => [site_id, `${site_id} (${devices})`] as const) ?? [];
  const options =
    known.some(([id]) => id === value) || value === '' ? known : [[value, value] as const, ...known];
  return <Select inline label="Site" value={value} options={[['', 'All'], ...options]} onChange={onChange} />;
}

function NoDevices({ isFiltered, onAdd }: { readonly isFiltered: boolean; readonly onAdd: () => void }) {
  if (isFiltered) {
    return (
      <Empty title="No device matches">
        <p>Change the search or the status above.</p>
      </Empty>
    );
  }
  return (
    <Empty title="No devices yet">
      <p>Add one: you get its token, lines to paste, and see its first reading arrive.</p>
      {may('write') ? (
        <button type="button" class="primary" onClick={onAdd}>
          Add device
        </button>
      ) : (
        <p>Your key only reads. One of level write adds devices.</p>
      )}
    </Empty>
  );
}

const typingPauseMs = 250;

/** Asks when the typing pauses. */
function SearchBox({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (text: string) => void;
}) {
  const [text, setText] = useState(value);
  // Only typing starts the pause
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), typingPauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input
      type="search"
      aria-label="Search devices"
      placeholder="Search by device or site"
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}
