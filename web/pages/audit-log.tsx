import { get } from '../lib/api.ts';
import { periodStart, periods } from '../lib/periods.ts';
import { useResource } from '../lib/resource.ts';
import { query, setQuery } from '../lib/router.ts';
import { scopePath } from '../lib/scope.ts';
import type { AuditEntry, Page } from '../lib/types.ts';
import { Empty, PageHead, Time } from '../parts/bits.tsx';
import { Select } from '../parts/field.tsx';
import { Pager, usePaging } from '../parts/pager.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';

/** A name at the command line is no key’s, and is told apart. */
function whoOf({ actor_kind: kind, actor_name: name }: AuditEntry): string {
  return kind === 'cli' ? `${name} (command line)` : (name ?? kind);
}

export function AuditLog({ tenant }: { readonly tenant?: string }) {
  const paging = usePaging();
  const period = query.value.get('period') ?? '168';
  const action = query.value.get('action') ?? '';
  const path = `${scopePath(tenant)}/audit-log`;
  const log = useResource(JSON.stringify([path, period, action, paging.cursor]), (signal) =>
    get<Page<AuditEntry>>(
      path,
      { from: periodStart(period, Date.now()), action, limit: 100, cursor: paging.cursor },
      { signal },
    ),
  );
  const change = (changes: Readonly<Record<string, string>>) => {
    paging.reset();
    setQuery(changes);
  };
  const columns: readonly Column<AuditEntry>[] = [
    { title: 'When', cell: (row) => <Time at={row.time} /> },
    { title: 'Who', cell: whoOf },
    {
      title: 'Action',
      cell: (row) => (
        <button type="button" class="link" onClick={() => change({ action: row.action })}>
          {row.action}
        </button>
      ),
      mono: true,
    },
    ...(tenant === undefined ? [{ title: 'Tenant', cell: (row: AuditEntry) => row.tenant_id ?? '' }] : []),
    { title: 'What', cell: (row) => row.target ?? '', mono: true },
    {
      title: 'Detail',
      cell: (row) => <span class="metrics">{row.detail == null ? '' : JSON.stringify(row.detail)}</span>,
      mono: true,
      wideOnly: true,
    },
  ];
  return (
    <>
      <PageHead title="Audit log" note="Every change, by whom." />
      <search class="filters">
        <Select
          inline
          label="Time"
          value={period}
          options={periods}
          onChange={(next) => change({ period: next })}
        />
        {action !== '' && (
          <button type="button" onClick={() => change({ action: '' })}>
            {action} ✕
          </button>
        )}
      </search>
      <Problem error={log.error} retry={log.reload} />
      <Table
        caption="Audit log"
        columns={columns}
        rows={log.data?.items}
        error={log.error}
        keyOf={(row) => String(row.entry_id ?? `${row.time} ${row.action} ${row.target}`)}
        empty={<Empty title="Nothing was changed in this time" />}
      />
      <Pager paging={paging} next={log.data?.next} />
    </>
  );
}
