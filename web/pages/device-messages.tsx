import { useState } from 'preact/hooks';
import { apiPath, apiUrl, get } from '../lib/api.ts';
import { ExactNumber } from '../lib/exact.ts';
import { type ReadingHub, useReadings } from '../lib/reading-hub.ts';
import { useResource } from '../lib/resource.ts';
import type { Page, Reading } from '../lib/types.ts';
import { Empty, Panel, Time } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { type Column, Table } from '../parts/table.tsx';

const shown = 15;

const columns: readonly Column<Reading>[] = [
  { title: 'Time', cell: (row) => <Time at={row.time} /> },
  {
    title: 'Seq',
    cell: (row) => (row.seq === undefined || row.seq === null ? '' : String(row.seq)),
    align: 'right',
    wideOnly: true,
  },
  { title: 'Type', cell: (row) => row.msg_type, wideOnly: true },
  { title: 'Metrics', cell: (row) => <span class="metrics">{metricsText(row.metrics)}</span>, mono: true },
];

function metricsText(metrics: Readonly<Record<string, unknown>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value instanceof ExactNumber ? value.text : JSON.stringify(value)}`)
    .join(' · ');
}

interface LastMessagesProps {
  readonly tenant: string;
  readonly device: string;
  readonly hub: ReadingHub;
}

/** The newest first; what arrives is put on top. */
export function LastMessages({ tenant, device, hub }: LastMessagesProps) {
  const path = `${apiPath('tenants', tenant, 'devices', device)}/telemetry`;
  const [arrived, setArrived] = useState<readonly Reading[]>([]);
  const stored = useResource(path, async (signal) => {
    const page = await get<Page<Reading>>(path, { limit: shown, order: 'desc' }, { signal, exact: true });
    setArrived([]);
    return page;
  });
  useReadings(hub, {
    onReading: (reading) => setArrived((before) => [reading, ...before].slice(0, shown)),
    onLoss: stored.reload,
  });
  const rows = stored.data === undefined ? undefined : newest([...arrived, ...stored.data.items]);
  return (
    <Panel
      title="Last messages"
      aside={
        <span class="actions">
          <a download href={apiUrl(path, { format: 'csv' })}>
            CSV
          </a>
          <a download href={apiUrl(path, { format: 'ndjson' })}>
            NDJSON
          </a>
        </span>
      }
    >
      <Problem error={stored.error} retry={stored.reload} />
      <Table
        caption="Last messages"
        columns={columns}
        rows={rows}
        error={stored.error}
        keyOf={keyOf}
        placeholderRows={shown}
        empty={<Empty title="No messages yet" />}
      />
    </Panel>
  );
}

const keyOf = (row: Reading): string =>
  `${row.time} ${row.arrived_at} ${String(row.seq ?? '')} ${row.msg_type}`;

function newest(readings: readonly Reading[]): Reading[] {
  const unique = new Map(readings.map((reading) => [comparable(reading), reading]));
  return [...unique.values()].sort((a, b) => Date.parse(b.time) - Date.parse(a.time)).slice(0, shown);
}

/** The feed and the table spell the same moment with and without microseconds. */
const comparable = (row: Reading): string =>
  `${Date.parse(row.time)} ${String(row.seq ?? '')} ${row.msg_type} ${metricsText(row.metrics)}`;
