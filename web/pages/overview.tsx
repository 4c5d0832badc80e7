import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import { now } from '../lib/clock.ts';
import { judgeFlow, settledPerSecond } from '../lib/flow-verdict.ts';
import { formatCount, formatMs, formatRate } from '../lib/format.ts';
import { useOverviewFeed } from '../lib/overview-feed.ts';
import { to } from '../lib/router.ts';
import type { OverviewSample } from '../lib/types.ts';
import { Badge, PageHead, Panel } from '../parts/bits.tsx';
import { axes, Chart } from '../parts/chart.tsx';
import { colour, translucent } from '../parts/palette.ts';
import { Shares } from '../parts/shares.tsx';

const shownSeconds = 300;
const leastSeconds = 60;
const height = 240;
const longestUnbrokenSeconds = 4;

export function Overview({ tenant }: { readonly tenant?: string }) {
  const { samples, state, isStale } = useOverviewFeed(tenant);
  const verdict = judgeFlow(samples, isStale || state === 'lost');
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
          <p>{verdict.sentence}</p>
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
          <FlowChart samples={samples} />
        </Panel>
        <div class="columns">
          {tenant === undefined && (
            <Panel title="By source" aside={<span class="muted">per second</span>}>
              <Shares
                rows={[
                  ['HTTP', last?.by_source.http ?? 0],
                  ['MQTT', last?.by_source.mqtt ?? 0],
                ]}
              />
            </Panel>
          )}
          <Panel title="By verdict" aside={<span class="muted">per second</span>}>
            <Shares
              rows={[
                ['Stored', last?.by_verdict.stored ?? 0, 'good'],
                // Duplicates are counted over all tenants only.
                ...(tenant === undefined
                  ? [['Duplicate', last?.by_verdict.duplicate ?? 0, 'quiet'] as const]
                  : []),
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
        <span class={isWord ? 'word' : 'number'}>{value}</span> <small>{unit}</small>
      </dd>
    </div>
  );
}

function FlowChart({ samples }: { readonly samples: readonly OverviewSample[] }) {
  const data = useMemo<uPlot.AlignedData>(() => flowData(samples), [samples]);
  const last = samples.at(-1);
  // The console's clock where it speaks, ours before.
  const until = last === undefined ? Math.floor(now.value / 1_000) : Date.parse(last.time) / 1_000;
  const label =
    last === undefined
      ? 'Messages per second: no figures yet'
      : `Messages per second: ${formatRate(last.in_per_second)} in, ${formatRate(settledPerSecond(last))} settled`;
  return (
    <Chart
      data={data}
      height={height}
      range={[until - spanOf(samples), until]}
      label={label}
      options={flowOptions}
    />
  );
}

/** Grows with what there is to see, up to five minutes. */
function spanOf(samples: readonly OverviewSample[]): number {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (first === undefined || last === undefined) return leastSeconds;
  const seconds = (Date.parse(last.time) - Date.parse(first.time)) / 1_000;
  return Math.min(Math.max(seconds, leastSeconds), shownSeconds);
}

/** A break where the feed was lost for a while. */
function flowData(samples: readonly OverviewSample[]): uPlot.AlignedData {
  const [x, ins, outs]: [number[], (number | null)[], (number | null)[]] = [[], [], []];
  for (const sample of samples) {
    const { time, in_per_second } = sample;
    const at = Date.parse(time) / 1_000;
    const before = x.at(-1);
    if (before !== undefined && at - before > longestUnbrokenSeconds) {
      x.push(before + 1);
      ins.push(null);
      outs.push(null);
    }
    x.push(at);
    ins.push(in_per_second);
    outs.push(settledPerSecond(sample));
  }
  return [x, ins, outs];
}

function flowOptions(): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    legend: { show: false },
    padding: [8, 8, 0, 0],
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
