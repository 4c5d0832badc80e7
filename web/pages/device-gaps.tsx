import { useMemo } from 'preact/hooks';
import { apiPath, get } from '../lib/api.ts';
import { formatCount, formatDuration } from '../lib/format.ts';
import { useResource } from '../lib/resource.ts';
import { boundsOf, type TimeRange } from '../lib/time-range.ts';
import type { GapRange, Gaps } from '../lib/types.ts';
import { Badge, Empty, Facts, Panel, Time } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { Strip } from '../parts/strip.tsx';
import { type Column, Table } from '../parts/table.tsx';

const refreshMs = 30_000;
const listed = 50;

const columns: readonly Column<GapRange>[] = [
  {
    title: 'Missing seq',
    cell: ({ first, last }) => (first === last ? String(first) : `${String(first)} to ${String(last)}`),
    mono: true,
  },
  { title: 'Messages', cell: ({ count }) => formatCount(count), align: 'right' },
  { title: 'After', cell: ({ after_time }) => <Time at={after_time} /> },
  {
    title: 'For',
    cell: ({ after_time, before_time }) => formatDuration(Date.parse(before_time) - Date.parse(after_time)),
    wideOnly: true,
  },
];

interface GapMapProps {
  readonly tenant: string;
  readonly device: string;
  readonly range: TimeRange;
}

/** Of the time that the charts show. */
export function GapMap({ tenant, device, range }: GapMapProps) {
  const path = `${apiPath('tenants', tenant, 'devices', device)}/gaps`;
  const key = range.kind === 'live' ? `live ${range.spanMs}` : `${range.fromMs} ${range.toMs}`;
  const gaps = useResource(
    `${path} ${key}`,
    async (signal) => {
      const bounds = boundsOf(range, Date.now());
      const query = { from: new Date(bounds.fromMs).toISOString(), to: new Date(bounds.toMs).toISOString() };
      return { ...bounds, found: await get<Gaps>(path, query, { signal }) };
    },
    range.kind === 'live' ? { everyMs: refreshMs } : {},
  );
  return (
    <Panel title="Gap map" aside={gaps.data !== undefined && <Verdict gaps={gaps.data.found} />}>
      <Problem error={gaps.error} retry={gaps.reload} />
      <div class="gaps-room">{gaps.data !== undefined && <Found {...gaps.data} />}</div>
    </Panel>
  );
}

function Verdict({ gaps }: { readonly gaps: Gaps }) {
  if (gaps.missing > 0) return <Badge tone="bad">{formatCount(gaps.missing)} missing</Badge>;
  return gaps.received > 0 ? <Badge tone="good">complete</Badge> : null;
}

interface FoundProps {
  readonly fromMs: number;
  readonly toMs: number;
  readonly found: Gaps;
}

function Found({ fromMs, toMs, found }: FoundProps) {
  const spans = useMemo(
    () =>
      found.ranges.map(({ after_time, before_time, first, last }) => ({
        fromMs: Date.parse(after_time),
        toMs: Date.parse(before_time),
        tone: 'bad' as const,
        label: `missing ${String(first)} to ${String(last)}`,
      })),
    [found],
  );
  if (found.received === 0) {
    return (
      <Empty title="Nothing with a seq in this time">
        <p>
          A device that numbers its messages (<code>"seq": 1, 2, 3 …</code>) gets a map of what never arrived.
        </p>
      </Empty>
    );
  }
  return (
    <div class="stacked">
      <Strip
        {...{ fromMs, toMs, spans }}
        base="good"
        label={`${found.ranges.length} gaps with ${found.missing} missing messages`}
      />
      <Facts
        rows={[
          ['Received', formatCount(found.received)],
          ['Missing', formatCount(found.missing)],
          ['Late', formatCount(found.late)],
          ['Repeated', formatCount(found.repeated)],
          ['Counter restarts', formatCount(found.restarts.length)],
        ]}
      />
      {found.ranges.length > 0 && (
        <Table
          caption="Missing ranges"
          columns={columns}
          rows={found.ranges.slice(0, listed)}
          keyOf={(row) => `${String(row.first)} ${row.after_time}`}
          empty={null}
        />
      )}
      {(found.truncated || found.ranges.length > listed) && (
        <p class="muted">There are more: choose a shorter time.</p>
      )}
    </div>
  );
}
