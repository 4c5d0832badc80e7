import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { isDark } from '../lib/theme.ts';
import { colour } from './palette.ts';

export interface ChartProps {
  readonly data: uPlot.AlignedData;
  /** Made anew for each theme; called when the chart is built. */
  readonly options: () => Omit<uPlot.Options, 'width' | 'height'>;
  readonly height: number;
  /** What the picture shows, for those who do not see it. */
  readonly label: string;
  /** The time shown, seconds; undefined: what the data spans. */
  readonly range?: readonly [number, number];
  /** Builds anew when it changes. */
  readonly shape?: string;
}

/** uPlot in a box of fixed height, so that nothing moves when the data comes. */
export function Chart({ data, options, height, label, range, shape = '' }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef({ data, options, range });
  latest.current = { data, options, range };
  const dark = isDark.value;

  // Colours are read from the page when it is built
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(
      { ...latest.current.options(), width: Math.max(element.clientWidth, 100), height },
      latest.current.data,
      element,
    );
    plot.current = made;
    show(made, latest.current.data, latest.current.range);
    const observer = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [dark, height, shape]);

  const [from, until] = range ?? [];
  useEffect(() => {
    const made = plot.current;
    if (made === undefined) return;
    show(made, data, from === undefined || until === undefined ? undefined : [from, until]);
  }, [data, from, until]);

  return <div ref={box} class="chart" role="img" aria-label={label} data-height={height} />;
}

function show(plot: uPlot, data: uPlot.AlignedData, range: readonly [number, number] | undefined): void {
  plot.batch(() => {
    plot.setData(data, range === undefined);
    if (range !== undefined) plot.setScale('x', { min: range[0], max: range[1] });
  });
}

/** Axes in the page's colours; the first is time. */
export function axes(format: (value: number) => string, size = 56): uPlot.Axis[] {
  const shared = {
    stroke: colour('muted'),
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { stroke: colour('grid'), width: 1, size: 4 },
    font: '11px system-ui, sans-serif',
  };
  return [
    { ...shared, space: 80, size: 42, values: timeLabels },
    { ...shared, size, space: 32, values: (_plot, splits) => splits.map(format) },
  ];
}

const timeLabels: uPlot.Axis.Values = [
  // step, default, year, month, day, hour, minute, second, mode
  [86_400, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{YYYY}-{MM}-{DD}', null, '\n{YYYY}-{MM}-{DD}', null, null, null, 1],
  [0.001, '{ss}.{fff}', '\n{HH}:{mm}', null, '\n{HH}:{mm}', null, '\n{HH}:{mm}', null, 1],
];
