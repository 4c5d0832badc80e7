import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import { now } from '../lib/clock.ts';
import { flowPoints, settledPerSecond } from '../lib/flow-points.ts';
import { type FlowVerdict, judgeFlow } from '../lib/flow-verdict.ts';
import { formatCount, formatMs, formatRate } from '../lib/format.ts';
import { useOverviewFeed } from '../lib/overview-feed.ts';
import { to } from '../lib/router.ts';
import { isOperator } from '../lib/session.ts';
import type { FlowPoint, OverviewSample } from '../lib/types.ts';
import { Badge, PageHead, Panel } from '../parts/bits.tsx';
import { axes, Chart } from '../parts/chart.tsx';
import { colour, translucent } from '../parts/palette.ts';
import { type Share, Shares } from '../parts/shares.tsx';

const shownSeconds = 300;
const leastSeconds = 60;
const height = 240;
/** Of points that stand for a second each, and for more. */
const longestUnbrokenSeconds = 12;

export function Overview({ tenant }: { readonly tenant?: string }) {
  const { samples, past, state, isStale } = useOverviewFeed(tenant);
  const verdict = judgeFlow({ samples, past }, isStale || state === 'lost');
  const points = useMemo(() => flowPoints({ samples, past }), [samples, past]);
  const last = samples.at(-1);
  return (
    <>
      <PageHead
        title={tenant === undefined ? 'Overview' : `Overview of ${tenant}`}
        note={tenant === undefined ? 'All tenants, live' : 'Live'}
      />
      <div class="stack">
        <section class={`verdict ${verdict.tone}`} aria-label="State" role="status">
          <Badge tone={verdict.tone}>{verdict.title}</Badge>
          <p>
            {verdict.sentence} <SeeMore verdict={verdict} tenant={tenant} />
          </p>
        </section>
        <Tiles last={last} isWhole={tenant === undefined} />
        <Panel
          title="Messages per second"
          aside={
            <span class="legend">
              <span>
                <span class="key in" />
                in
              </span>
              <span>
                <span class="key out" />
                settled
              </span>
            </span>
          }
        >
          <FlowChart points={points} />
        </Panel>
        <div class="columns">
          <Panel title="At the doors" aside={<span class="muted">answered a second</span>}>
            <Shares rows={sourceRows(last)} />
          </Panel>
          <Panel title="By verdict" aside={<span class="muted">settled a second</span>}>
            <Shares
              rows={[
                ['Stored', last?.by_verdict.stored ?? 0, 'good'],
                ['Duplicate', last?.by_verdict.duplicate ?? 0, 'quiet'],
                ['Quarantined', last?.by_verdict.quarantined ?? 0, 'warn', quarantineOf(tenant)],
              ]}
            />
          </Panel>
          <Panel title="Devices by status">
            <Shares
              format={formatCount}
              rows={[
                ['Online', last?.devices.online ?? 0, 'good', devicesOf(tenant, 'ONLINE')],
                ['Stale', last?.devices.stale ?? 0, 'warn', devicesOf(tenant, 'STALE')],
                ['Offline', last?.devices.offline ?? 0, 'bad', devicesOf(tenant, 'OFFLINE')],
                ['Never heard of', last?.devices.silent ?? 0, 'quiet'],
              ]}
            />
          </Panel>
        </div>
      </div>
    </>
  );
}

const sourceNames: readonly (readonly [string, string])[] = [
  ['http', 'HTTP'],
  ['mqtt', 'MQTT'],
  ['mqtt-bridge', 'MQTT bridge'],
];

/** What was accepted by source, the bridge only where there is one; and what took no place in the stream. */
const sourceRows = (last: OverviewSample | undefined): readonly Share[] => [
  ...sourceNames
    .filter(([source]) => source !== 'mqtt-bridge' || last?.by_source[source] !== undefined)
    .map(([source, name]): Share => [name, last?.by_source[source] ?? 0]),
  ['Sent again, known already', last?.duplicates_at_door ?? 0, 'quiet'],
  ['Turned away with 503', last?.refused_per_second ?? 0, 'bad'],
];

/** System is for operators. */
function SeeMore({
  verdict,
  tenant,
}: {
  readonly verdict: FlowVerdict;
  readonly tenant: string | undefined;
}) {
  if (verdict.see === 'quarantine') return <a href={quarantineOf(tenant)}>Quarantine</a>;
  if (verdict.see === 'system' && isOperator.value) return <a href="/system">System</a>;
  return null;
}

const quarantineOf = (tenant: string | undefined): string =>
  tenant === undefined ? '/quarantine' : to('t', tenant, 'quarantine');

const devicesOf = (tenant: string | undefined, status: string): string | undefined =>
  tenant === undefined ? undefined : `${to('t', tenant, 'devices')}?status=${status}`;

function Tiles({ last, isWhole }: { readonly last: OverviewSample | undefined; readonly isWhole: boolean }) {
  const rate = (value: number | undefined) => (value === undefined ? '–' : formatRate(value));
  const age = last?.door_to_row_ms;
  return (
    <dl class="tiles">
      <Tile name="In" value={rate(last?.in_per_second)} unit="/s" />
      <Tile name="Settled" value={rate(last && settledPerSecond(last))} unit="/s" />
      <Tile
        name="Backlog"
        value={last?.backlog == null ? '–' : formatCount(last.backlog)}
        unit="messages"
        hint="Accepted and not yet settled"
      />
      <Tile
        name="Door to row, p99"
        value={age?.p99 == null ? '–' : formatMs(age.p99)}
        unit={age?.p50 == null ? '' : `half within ${formatMs(age.p50)}`}
        hint="From a message's arrival to its committed row"
      />
      {isWhole && (
        <>
          <Tile
            name="Unaccounted"
            value={last?.unaccounted == null ? '–' : formatCount(last.unaccounted)}
            unit="messages"
            tone={(last?.unaccounted ?? 0) > 0 ? 'bad' : undefined}
            hint="Accepted without an outcome: always 0"
          />
          <Tile
            name="Durability"
            value={last?.durability?.replaceAll('_', ' ') ?? '–'}
            isWord
            hint="What an accepted message survives, as the NATS server is set"
          />
        </>
      )}
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly hint?: string;
  readonly tone?: 'bad' | undefined;
  readonly isWord?: boolean;
}

function Tile({ name, value, unit = '', hint, tone, isWord = false }: TileProps) {
  return (
    <div class="tile" title={hint}>
      <dt>{name}</dt>
      <dd class={tone ?? ''}>
        <span class={isWord ? 'word' : 'number'}>{value}</span>{' '}
        <small class={unit.startsWith('/') ? 'beside' : ''}>{unit}</small>
      </dd>
    </div>
  );
}

function FlowChart({ points }: { readonly points: readonly FlowPoint[] }) {
  const data = useMemo<uPlot.AlignedData>(() => flowData(points), [points]);
  const last = points.at(-1);
  // The console's clock where it speaks, ours before.
  const until = last === undefined ? Math.floor(now.value / 1_000) : last.timeMs / 1_000;
  const label =
    last === undefined
      ? 'Messages per second: no figures yet'
      : `Messages per second: ${formatRate(last.in)} in, ${formatRate(last.settled)} settled`;
  return (
    <Chart
      data={data}
      height={height}
      range={[until - spanOf(points), until]}
      label={label}
      options={flowOptions}
    />
  );
}

/** Grows with what there is to see, up to five minutes. */
function spanOf(points: readonly FlowPoint[]): number {
  const [first, last] = [points.at(0), points.at(-1)];
  if (first === undefined || last === undefined) return leastSeconds;
  return Math.min(Math.max((last.timeMs - first.timeMs) / 1_000, leastSeconds), shownSeconds);
}

/** A break where nobody was asked for a while. */
function flowData(points: readonly FlowPoint[]): uPlot.AlignedData {
  const [x, ins, outs]: [number[], (number | null)[], (number | null)[]] = [[], [], []];
  for (const point of points) {
    const at = point.timeMs / 1_000;
    const before = x.at(-1);
    if (before !== undefined && at - before > longestUnbrokenSeconds) {
      x.push(before + 1);
      ins.push(null);
      outs.push(null);
    }
    x.push(at);
    ins.push(point.in);
    outs.push(point.settled);
  }
  return [x, ins, outs];
}

function flowOptions(): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    legend: { show: false },
    // The last label stands half beyond the axis.
    padding: [8, 28, 0, 0],
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, 1) * 1.1] } },
    axes: axes(formatRate),
    series: [
      {},
      { stroke: colour('in'), fill: translucent('in', 0.12), width: 1.5, points: { show: false } },
      { stroke: colour('out'), width: 1.5, points: { show: false } },
    ],
  };
}
