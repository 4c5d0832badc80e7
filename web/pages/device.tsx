import { useMemo, useState } from 'preact/hooks';
import { apiPath, get } from '../lib/api.ts';
import { type FeedState, useFeed } from '../lib/events.ts';
import { createReadingHub, type ReadingHub, useReadings } from '../lib/reading-hub.ts';
import { useResource } from '../lib/resource.ts';
import { to } from '../lib/router.ts';
import { firstRange, select, type TimeRange } from '../lib/time-range.ts';
import type { Device, Page, Reading, Sensor } from '../lib/types.ts';
import { Badge, Empty, Facts, PageHead, Panel, StatusBadge, Time } from '../parts/bits.tsx';
import { Problem } from '../parts/problem.tsx';
import { RangeBar } from '../parts/range-bar.tsx';
import { SensorChart } from '../parts/sensor-chart.tsx';
import { DeviceActions } from './device-actions.tsx';
import { GapMap } from './device-gaps.tsx';
import { LastMessages } from './device-messages.tsx';
import { DeviceRejected } from './device-rejected.tsx';
import { StatusHistory } from './device-status-history.tsx';
import { shownStatus } from './devices.tsx';
import { limitText } from './tenants.tsx';

const refreshMs = 15_000;

export interface DeviceProps {
  readonly tenant: string;
  readonly device: string;
}

export function DevicePage({ tenant, device }: DeviceProps) {
  const base = apiPath('tenants', tenant, 'devices', device);
  const hub = useMemo(createReadingHub, []);
  const [feed, setFeed] = useState<FeedState>('connecting');
  const [range, setRange] = useState<TimeRange>(firstRange);
  const [wasLost, setWasLost] = useState(false);
  const entry = useResource(base, (signal) => get<Device>(base, {}, { signal }), { everyMs: refreshMs });
  useFeed(
    `${apiPath('tenants', tenant)}/live`,
    { device_id: device },
    {
      on: {
        reading: (data) => hub.publish(data as Reading),
        dropped: () => hub.publishLoss(),
      },
      onState: (state) => {
        setFeed(state);
        if (state === 'lost') setWasLost(true);
        if (state === 'open' && wasLost) {
          setWasLost(false);
          hub.publishLoss();
        }
      },
    },
  );
  const found = entry.data;
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={to('t', tenant, 'devices')}>Devices</a>
      </nav>
      <PageHead title={<span class="mono">{device}</span>} note={<FeedNote state={feed} />}>
        {found !== undefined && <DeviceActions device={found} onChange={entry.reload} />}
      </PageHead>
      <Problem error={entry.error} retry={entry.reload} />
      {entry.error?.status !== 404 && (
        <div class="stack">
          <section class="panel tall-facts" aria-label="About this device">
            {found !== undefined && <DeviceFacts device={found} />}
          </section>
          <RangeBar range={range} onChange={setRange} />
          <Sensors {...{ tenant, device, range, hub }} onSelect={(from, to) => setRange(select(from, to))} />
          <LastMessages {...{ tenant, device, hub }} />
          <div class="columns">
            <GapMap {...{ tenant, device, range }} />
            <StatusHistory {...{ tenant, device }} />
          </div>
          <DeviceRejected {...{ tenant, device }} />
        </div>
      )}
    </>
  );
}

function FeedNote({ state }: { readonly state: FeedState }) {
  if (state === 'open') return <Badge tone="good">live</Badge>;
  if (state === 'connecting') return <Badge tone="quiet">connecting …</Badge>;
  return <Badge tone="warn">live feed lost, trying again</Badge>;
}

function DeviceFacts({ device }: { readonly device: Device }) {
  return (
    <Facts
      rows={[
        ['Status', <StatusBadge key="status" status={shownStatus(device)} />],
        ['Last seen', <Time key="seen" at={device.last_seen_at} ago />],
        [
          'Site',
          <a
            key="site"
            href={`${to('t', device.tenant_id, 'devices')}?site_id=${encodeURIComponent(device.site_id)}`}
          >
            {device.site_id}
          </a>,
        ],
        ['Token', tokenText(device)],
        ['Rate limit', limitText(device.rate_per_second, device.burst)],
        ['Sensors at most', device.max_sensors ?? 'default'],
        ['Registered', <Time key="registered" at={device.created_at} />],
      ]}
    />
  );
}

function tokenText(device: Device): string {
  if (device.revoked_at !== null) return 'revoked';
  if (!device.has_token) return 'none: rotate gives it one';
  return device.previous_token_until === null ? 'set' : 'set; the one before is still valid';
}

interface SensorsProps extends DeviceProps {
  readonly range: TimeRange;
  readonly hub: ReadingHub;
  readonly onSelect: (fromMs: number, toMs: number) => void;
}

function Sensors({ tenant, device, range, hub, onSelect }: SensorsProps) {
  const path = `${apiPath('tenants', tenant, 'devices', device)}/sensors`;
  const sensors = useResource(path, (signal) =>
    get<Page<Sensor>>(path, { limit: 500 }, { signal, exact: true }),
  );
  const known = sensors.data?.items;
  useUnknownMetrics(hub, known, sensors.reload);
  const charted = known?.filter(({ value_type }) => value_type === 'number') ?? [];
  const others = known?.filter(({ value_type }) => value_type !== 'number') ?? [];
  if (known?.length === 0) {
    return (
      <Empty title="Waiting for the first reading …">
        <p>Each metric that this device sends becomes a sensor with a chart here, as it arrives.</p>
      </Empty>
    );
  }
  return (
    <>
      <Problem error={sensors.error} retry={sensors.reload} />
      <div class="charts">
        {known === undefined && <div class="panel sensor chart-room" />}
        {charted.map((sensor) => (
          <SensorChart key={sensor.metric} {...{ tenant, device, sensor, range, hub, onSelect }} />
        ))}
      </div>
      {others.length > 0 && <OtherSensors sensors={others} />}
    </>
  );
}

/** A reading with a metric that is not in the list asks for the list again. */
function useUnknownMetrics(hub: ReadingHub, known: readonly Sensor[] | undefined, reload: () => void): void {
  const names = useMemo(() => new Set(known?.map(({ metric }) => metric)), [known]);
  useReadings(hub, {
    onReading: ({ metrics }) => {
      if (known === undefined) return;
      if (Object.keys(metrics).some((metric) => !names.has(metric))) reload();
    },
    onLoss: reload,
  });
}

function OtherSensors({ sensors }: { readonly sensors: readonly Sensor[] }) {
  return (
    <Panel title="Other sensors">
      <Facts
        rows={sensors.map(({ metric, latest, latest_time }) => [
          metric,
          <span key={metric}>
            {String(latest)}{' '}
            <span class="muted">
              (<Time at={latest_time} ago />)
            </span>
          </span>,
        ])}
      />
    </Panel>
  );
}
