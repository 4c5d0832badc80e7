import { useState } from 'preact/hooks';
import { get } from '../lib/api.ts';
import { formatCount } from '../lib/format.ts';
import { defaultPeriod, periodStart, periods } from '../lib/periods.ts';
import { useResource } from '../lib/resource.ts';
import { query, setQuery, to } from '../lib/router.ts';
import { type Scope, scopePath } from '../lib/scope.ts';
import { may } from '../lib/session.ts';
import type { Page, QuarantineStats, Rejected } from '../lib/types.ts';
import { Empty, PageHead, Panel, Time } from '../parts/bits.tsx';
import { Select } from '../parts/field.tsx';
import { Pager, usePaging } from '../parts/pager.tsx';
import { Problem } from '../parts/problem.tsx';
import { Remedy } from '../parts/remedy.tsx';
import { StackedBars } from '../parts/stacked-bars.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { PurgeDialog, ReplayDialog, type Selection } from './quarantine-dialogs.tsx';

const refreshMs = 10_000;
const pageSize = 50;

interface Filter {
  readonly reason: string;
  readonly device_id: string;
  readonly period: string;
}

function filterOf(params: URLSearchParams): Filter {
  return {
    reason: params.get('reason') ?? '',
    device_id: params.get('device_id') ?? '',
    period: params.get('period') ?? defaultPeriod,
  };
}

export function Quarantine({ tenant }: { readonly tenant?: string }) {
  const paging = usePaging();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<'replay' | 'purge'>();
  const filter = filterOf(query.value);
  const list = useRejected(tenant, filter, paging.cursor);
  const change = (changes: Readonly<Record<string, string>>) => {
    paging.reset();
    setChosen(new Set());
    setQuery(changes);
  };
  const selection: Selection =
    chosen.size > 0 ? { ids: [...chosen] } : { reason: filter.reason, device_id: filter.device_id };
  const isNarrow = filter.reason !== '' || filter.device_id !== '';
  return (
    <>
      <PageHead
        title="Quarantine"
        note={
          tenant === undefined ? 'What was refused, of all tenants' : `What was refused of tenant ${tenant}`
        }
      >
        {may('write') && (
          <>
            <button type="button" class="primary" onClick={() => setAsked('replay')}>
              Replay {chosen.size > 0 ? `${chosen.size} chosen` : isNarrow ? 'these' : 'all'}
            </button>
            <button type="button" class="danger" onClick={() => setAsked('purge')}>
              Purge
            </button>
          </>
        )}
      </PageHead>
      <div class="stack">
        <Filters filter={filter} onChange={change} />
        <Stats {...{ tenant, filter }} onReason={(reason) => change({ reason })} />
        {filter.reason !== '' && <Remedy reason={filter.reason} />}
        <Problem error={list.error} retry={list.reload} />
        <Table
          caption="Quarantined messages"
          columns={columnsFor(tenant, chosen, setChosen)}
          rows={list.data?.items}
          error={list.error}
          keyOf={(row) => String(row.id)}
          placeholderRows={10}
          empty={<NothingRejected isNarrow={isNarrow} />}
        />
        <Pager paging={paging} next={list.data?.next} />
      </div>
      {asked !== undefined && (
        <QuarantineDialog
          {...{ asked, tenant, selection }}
          onClose={() => {
            setAsked(undefined);
            setChosen(new Set());
            list.reload();
          }}
        />
      )}
    </>
  );
}

interface QuarantineDialogProps {
  readonly asked: 'replay' | 'purge';
  readonly tenant: Scope;
  readonly selection: Selection;
  readonly onClose: () => void;
}

function QuarantineDialog({ asked, ...rest }: QuarantineDialogProps) {
  return asked === 'replay' ? <ReplayDialog {...rest} /> : <PurgeDialog {...rest} />;
}

function useRejected(tenant: Scope, { reason, device_id, period }: Filter, cursor: string) {
  const path = `${scopePath(tenant)}/quarantine`;
  return useResource(
    JSON.stringify([path, reason, device_id, period, cursor]),
    (signal) =>
      get<Page<Rejected>>(
        path,
        { reason, device_id, from: periodStart(period, Date.now()), limit: pageSize, cursor },
        { signal },
      ),
    { everyMs: refreshMs },
  );
}

function columnsFor(
  tenant: Scope,
  chosen: ReadonlySet<string>,
  setChosen: (next: ReadonlySet<string>) => void,
): Column<Rejected>[] {
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return [
    ...(may('write')
      ? [
          {
            title: 'Choose',
            narrow: true,
            cell: ({ id }: Rejected) => (
              <input
                type="checkbox"
                aria-label={`Choose message ${id}`}
                checked={chosen.has(String(id))}
                onChange={() => toggle(String(id))}
              />
            ),
          },
        ]
      : []),
    {
      title: 'Reason',
      cell: (row) => <a href={messageHref(tenant, row)}>{row.reason}</a>,
      mono: true,
    },
    ...(tenant === undefined
      ? [{ title: 'Tenant', cell: (row: Rejected) => row.tenant_id ?? <span class="muted">unknown</span> }]
      : []),
    { title: 'Device', cell: (row) => row.device_id ?? <span class="muted">unknown</span>, mono: true },
    { title: 'Detail', cell: (row) => row.detail, text: true },
    { title: 'Arrived', cell: (row) => <Time at={row.arrived_at} ago /> },
  ];
}

const messageHref = (tenant: Scope, { id, tenant_id }: Rejected): string =>
  tenant === undefined && tenant_id === null
    ? to('quarantine', String(id))
    : to('t', tenant ?? tenant_id ?? '', 'quarantine', String(id));

function Filters({
  filter,
  onChange,
}: {
  readonly filter: Filter;
  readonly onChange: (changes: Readonly<Record<string, string>>) => void;
}) {
  return (
    <search class="filters">
      <Select
        inline
        label="Time"
        value={filter.period}
        options={periods}
        onChange={(period) => onChange({ period })}
      />
      {filter.reason !== '' && (
        <button type="button" onClick={() => onChange({ reason: '' })}>
          {filter.reason} ✕
        </button>
      )}
      {filter.device_id !== '' && (
        <button type="button" onClick={() => onChange({ device_id: '' })}>
          Device {filter.device_id} ✕
        </button>
      )}
    </search>
  );
}

interface StatsProps {
  readonly tenant: Scope;
  readonly filter: Filter;
  readonly onReason: (reason: string) => void;
}

function Stats({ tenant, filter, onReason }: StatsProps) {
  const path = `${scopePath(tenant)}/quarantine/stats`;
  const stats = useResource(
    JSON.stringify([path, filter.period]),
    (signal) => get<QuarantineStats>(path, { from: periodStart(filter.period, Date.now()) }, { signal }),
    { everyMs: refreshMs },
  );
  const total = Object.values(stats.data?.reasons ?? {}).reduce(
    (sum, { count }) => sum + count.reduce((a, b) => a + b, 0),
    0,
  );
  return (
    <Panel
      title="By reason"
      aside={stats.data !== undefined && <span class="muted">{formatCount(total)} messages</span>}
    >
      <Problem error={stats.error} retry={stats.reload} />
      <StackedBars stats={stats.data} chosen={filter.reason} onChoose={onReason} />
    </Panel>
  );
}

function NothingRejected({ isNarrow }: { readonly isNarrow: boolean }) {
  return isNarrow ? (
    <Empty title="Nothing matches">
      <p>Take a filter away, or look further back.</p>
    </Empty>
  ) : (
    <Empty title="Nothing was refused in this time">
      <p>Messages that the worker cannot accept are kept here with the reason, to be mended and replayed.</p>
    </Empty>
  );
}
