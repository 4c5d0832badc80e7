import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { apiPath, get } from '../lib/api.ts';
import { now } from '../lib/clock.ts';
import { formatNumber } from '../lib/format.ts';
import { type ReadingHub, useReadings } from '../lib/reading-hub.ts';
import { useResource } from '../lib/resource.ts';
import { createBuffer, fold, type SeriesBuffer, toPlot, trim } from '../lib/series-buffer.ts';
import { useThrottledVersion } from '../lib/throttled.ts';
import { boundsOf, type TimeRange } from '../lib/time-range.ts';
import type { Sensor, Series } from '../lib/types.ts';
import { axes, Chart } from './chart.tsx';
import { colour, translucent } from './palette.ts';
import { Problem } from './problem.tsx';

const drawEveryMs = 200;
const height = 180;
const points = 600;

export interface SensorChartProps {
  readonly tenant: string;
  readonly device: string;
  readonly sensor: Sensor;
  readonly range: TimeRange;
  readonly hub: ReadingHub;
  readonly onSelect: (fromMs: number, toMs: number) => void;
}

export function SensorChart(props: SensorChartProps) {
  const { sensor, range } = props;
  const [box, isSeen] = useSeen();
  const unit = sensor.unit === null ? '' : ` ${sensor.unit}`;
  return (
    <section ref={box} class="panel sensor" aria-label={`Sensor ${sensor.metric}`}>
      <header>
        <h3 class="mono">{sensor.metric}</h3>
        <span class="latest number" data-metric={sensor.metric}>
          <LatestValue {...props} unit={unit} />
        </span>
      </header>
      {isSeen ? (
        <Plot key={rangeKey(range)} {...props} unit={unit} />
      ) : (
        <div class="chart" data-height={height} />
      )}
    </section>
  );
}

const rangeKey = (range: TimeRange): string =>
  range.kind === 'live' ? `live ${range.spanMs}` : `${range.fromMs} ${range.toMs}`;

function LatestValue({ sensor, hub, unit }: SensorChartProps & { readonly unit: string }) {
  const [latest, setLatest] = useState<unknown>(sensor.latest);
  useReadings(hub, {
    onReading: ({ metrics }) => {
      if (Object.hasOwn(metrics, sensor.metric)) setLatest(metrics[sensor.metric]);
    },
  });
  return (
    <>
      {typeof latest === 'number' ? formatNumber(latest) : String(latest)}
      {unit}
    </>
  );
}

function Plot({
  tenant,
  device,
  sensor,
  range,
  hub,
  onSelect,
  unit,
}: SensorChartProps & { readonly unit: string }) {
  const asked = useMemo(() => boundsOf(range, Date.now()), [range]);
  const buffer = useRef<SeriesBuffer | undefined>(undefined);
  const [version, touch] = useThrottledVersion(drawEveryMs);
  const series = useResource(`${sensor.metric} ${rangeKey(range)}`, (signal) => {
    const { fromMs, toMs } = boundsOf(range, Date.now());
    const query = { metric: [sensor.metric], from: iso(fromMs), to: iso(toMs), points };
    return get<Series>(`${apiPath('tenants', tenant, 'devices', device)}/series`, query, { signal });
  });
  useEffect(() => {
    if (series.data === undefined) return;
    buffer.current = createBuffer(series.data.bucket_ms, series.data.metrics[sensor.metric]);
    touch();
  }, [series.data, sensor.metric, touch]);
  useReadings(hub, {
    onReading: ({ time, metrics }) => {
      const value = metrics[sensor.metric];
      if (range.kind !== 'live' || typeof value !== 'number' || buffer.current === undefined) return;
      fold(buffer.current, Date.parse(time), value);
      touch();
    },
    onLoss: series.reload,
  });

  const bounds = range.kind === 'live' ? boundsOf(range, now.value) : asked;
  // The version says when the buffer has changed
  const data = useMemo<uPlot.AlignedData>(() => {
    if (buffer.current === undefined) return [[], [], [], []];
    if (range.kind === 'live') trim(buffer.current, bounds.fromMs);
    return toPlot(buffer.current);
  }, [version, range, range.kind === 'live' ? bounds.fromMs : 0]);

  const select = useRef(onSelect);
  select.current = onSelect;
  const format = (value: number) => formatNumber(value) + unit;
  return (
    <>
      {data[0].length === 0 && (
        <p class="chart-note muted">{series.data === undefined ? 'Loading …' : 'No readings in this time'}</p>
      )}
      <Chart
        data={data}
        height={height}
        range={[bounds.fromMs / 1_000, bounds.toMs / 1_000]}
        label={describe(sensor.metric, data, unit)}
        options={() => plotOptions(format, (from, to) => select.current(from, to))}
      />
      <Problem error={series.error} retry={series.reload} />
    </>
  );
}

function plotOptions(
  format: (value: number) => string,
  onSelect: (fromMs: number, toMs: number) => void,
): Omit<uPlot.Options, 'width' | 'height'> {
  const edge = { stroke: 'transparent', points: { show: false } };
  return {
    legend: { show: false },
    // The last label stands half beyond the axis.
    padding: [8, 28, 0, 0],
    cursor: { sync: { key: 'device' }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: withRoom } },
    axes: axes(format, 72),
    series: [
      {},
      { ...edge, label: 'min' },
      { ...edge, label: 'max' },
      { label: 'avg', stroke: colour('accent'), width: 1.5, points: { size: 4 } },
    ],
    bands: [{ series: [2, 1], fill: translucent('accent', 0.16) }],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          onSelect(plot.posToVal(left, 'x') * 1_000, plot.posToVal(left + width, 'x') * 1_000);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      setCursor: [(plot) => tellCursor(plot, format)],
    },
  };
}

/** What the cursor is over, in the corner of its chart. */
function tellCursor(plot: uPlot, format: (value: number) => string): void {
  const index = plot.cursor.idx;
  const box = plot.root.closest('.sensor');
  if (box === null) return;
  let tip = plot.over.querySelector<HTMLElement>('.tip');
  if (tip === null) {
    tip = document.createElement('div');
    tip.className = 'tip';
    plot.over.append(tip);
  }
  const [min, max, avg] = [1, 2, 3].map((column) => (index == null ? undefined : plot.data[column]?.[index]));
  const x = index == null ? undefined : plot.data[0][index];
  if (x === undefined || min == null || max == null || avg == null || (plot.cursor.left ?? -1) < 0) {
    tip.textContent = '';
    return;
  }
  const at = new Date(x * 1_000).toLocaleString();
  tip.textContent =
    min === max ? `${at} · ${format(avg)}` : `${at} · ${format(avg)} (${format(min)} to ${format(max)})`;
}

/** A flat line lies in the middle, not on the edge. */
function withRoom(_plot: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const room = max === min ? Math.max(Math.abs(max) * 0.05, 0.5) : (max - min) * 0.08;
  return [min - room, max + room];
}

function describe(metric: string, data: uPlot.AlignedData, unit: string): string {
  const values = (data[3] ?? []).filter((value): value is number => typeof value === 'number');
  if (values.length === 0) return `${metric}: no readings in this time`;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${metric}: ${values.length} points from ${formatNumber(low)} to ${formatNumber(high)}${unit}`;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Charts far down the page ask for nothing before somebody scrolls to them. */
function useSeen() {
  const element = useRef<HTMLElement>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (element.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        setSeen(true);
        observer.disconnect();
      },
      { rootMargin: '300px' },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, isSeen] as const;
}
