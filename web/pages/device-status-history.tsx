import { apiPath, get } from '../lib/api.ts';
import { now } from '../lib/clock.ts';
import { formatDuration } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import type { Page, StatusSpan } from '../lib/types.ts';
import { Empty, Panel, StatusBadge, Time } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { Strip } from '../parts/strip.tsx';
import { type Column, Table } from '../parts/table.tsx';

const refreshMs = 30_000;
const dayMs = 86_400_000;

const columns: readonly Column<StatusSpan>[] = [
  { title: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  { title: 'Since', cell: ({ since }) => <Time at={since} /> },
  { title: 'For', cell: (span) => formatDuration(endOf(span) - Date.parse(span.since)) },
];

const endOf = ({ until }: StatusSpan): number => (until === null ? now.value : Date.parse(until));

const tones = { ONLINE: 'good', STALE: 'warn', OFFLINE: 'bad' } as const;

export function StatusHistory({ tenant, device }: { readonly tenant: string; readonly device: string }) {
  const path = `${apiPath('tenants', tenant, 'devices', device)}/status-history`;
  const history = useResource(path, (signal) => get<Page<StatusSpan>>(path, { limit: 50 }, { signal }), {
    everyMs: refreshMs,
  });
  const items = history.data?.items;
  const nowMs = now.value;
  return (
    <Panel title="Status history" aside={<span class="muted">the last 24 h</span>}>
      <Problem error={history.error} retry={history.reload} />
      <div class="stacked gaps-room">
        {items !== undefined && items.length > 0 && (
          <Strip
            fromMs={nowMs - dayMs}
            toMs={nowMs}
            base="quiet"
            label={`${items.length} changes of status`}
            spans={items
              .filter((span) => endOf(span) > nowMs - dayMs)
              .map((span) => ({
                fromMs: Date.parse(span.since),
                toMs: endOf(span),
                tone: tones[span.status as keyof typeof tones] ?? 'quiet',
                label: span.status.toLowerCase(),
              }))}
          />
        )}
        <Table
          caption="Status history"
          columns={columns}
          rows={items?.slice(0, 12)}
          error={history.error}
          keyOf={({ since }) => since}
          empty={<Empty title="No status yet">A device is online with its first message.</Empty>}
        />
      </div>
    </Panel>
  );
}
