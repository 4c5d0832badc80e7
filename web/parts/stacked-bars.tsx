import { formatCount, formatLocal } from '../lib/format.ts';
import type { QuarantineStats } from '../lib/types.ts';

const width = 1_000;
const height = 120;
/** Reasons with a colour of their own; the rest are one. */
const coloured = 7;

interface StackedBarsProps {
  readonly stats: QuarantineStats | undefined;
  readonly chosen: string;
  readonly onChoose: (reason: string) => void;
}

interface Layer {
  readonly reason: string;
  readonly total: number;
  readonly index: number;
  readonly counts: ReadonlyMap<number, number>;
}

/** Counts by reason over time. The legend is the table of it, and its entries filter. */
export function StackedBars({ stats, chosen, onChoose }: StackedBarsProps) {
  const layers = stats === undefined ? [] : layersOf(stats);
  return (
    <div class="bars-room">
      {stats !== undefined && <Bars stats={stats} layers={layers} />}
      <ul class="reason-legend">
        {layers.map(({ reason, total, index }) => (
          <li key={reason}>
            <button
              type="button"
              class="quiet"
              aria-pressed={chosen === reason}
              onClick={() => onChoose(chosen === reason ? '' : reason)}
            >
              <span class={`key c${index}`} aria-hidden="true" />
              <span class="mono">{reason}</span>
              <span class="number">{formatCount(total)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function layersOf({ reasons }: QuarantineStats): Layer[] {
  return Object.entries(reasons)
    .map(([reason, { t, count }]) => ({
      reason,
      total: count.reduce((a, b) => a + b, 0),
      counts: new Map(t.map((at, index) => [at, count[index] ?? 0])),
    }))
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total)
    .map((layer, index) => ({ ...layer, index: Math.min(index, coloured) }));
}

function Bars({ stats, layers }: { readonly stats: QuarantineStats; readonly layers: readonly Layer[] }) {
  const [fromMs, toMs] = [Date.parse(stats.from), Date.parse(stats.to)];
  const times = [...new Set(layers.flatMap(({ counts }) => [...counts.keys()]))];
  const sums = times.map((at) => layers.reduce((sum, { counts }) => sum + (counts.get(at) ?? 0), 0));
  const most = Math.max(1, ...sums);
  const barWidth = Math.max(2, (stats.bucket_ms / Math.max(1, toMs - fromMs)) * width - 1);
  return (
    <figure class="strip">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Quarantined messages by reason: ${layers.map(({ reason, total }) => `${reason} ${total}`).join(', ') || 'none'}`}
        class="bars"
      >
        {times.flatMap((at) => {
          let top = height;
          return layers.map(({ reason, counts, index }) => {
            const count = counts.get(at) ?? 0;
            const tall = (count / most) * height;
            top -= tall;
            if (count === 0) return null;
            const x = ((at - fromMs) / Math.max(1, toMs - fromMs)) * width;
            return (
              <rect key={`${at} ${reason}`} class={`c${index}`} x={x} y={top} width={barWidth} height={tall}>
                <title>{`${formatLocal(at)}: ${count} ${reason}`}</title>
              </rect>
            );
          });
        })}
      </svg>
      <figcaption class="muted number">
        <span>{formatLocal(fromMs)}</span>
        <span>{most > 1 ? `${formatCount(most)} at most in a bar` : ''}</span>
        <span>{formatLocal(toMs)}</span>
      </figcaption>
    </figure>
  );
}
