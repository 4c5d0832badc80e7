import { now } from '../lib/clock.ts';
import { formatDuration, formatLocal } from '../lib/format.ts';
import { boundsOf, firstRange, pan, presets, type TimeRange, zoom } from '../lib/time-range.ts';

export interface RangeBarProps {
  readonly range: TimeRange;
  readonly onChange: (range: TimeRange) => void;
}

/** Drag in a chart zooms, too; all of it is here for the keyboard. */
export function RangeBar({ range, onChange }: RangeBarProps) {
  const step = (make: (range: TimeRange, nowMs: number) => TimeRange) => onChange(make(range, Date.now()));
  return (
    <fieldset class="range-bar" aria-label="Time range">
      <div class="actions">
        {presets.map(([label, spanMs]) => (
          <button
            key={label}
            type="button"
            aria-pressed={range.kind === 'live' && range.spanMs === spanMs}
            onClick={() => onChange({ kind: 'live', spanMs })}
          >
            {label}
          </button>
        ))}
      </div>
      <div class="actions">
        <button type="button" aria-label="Earlier" onClick={() => step((r, at) => pan(r, -0.5, at))}>
          ←
        </button>
        <button type="button" aria-label="Later" onClick={() => step((r, at) => pan(r, 0.5, at))}>
          →
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => step((r, at) => zoom(r, 0.5, at))}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => step((r, at) => zoom(r, 2, at))}>
          −
        </button>
        <button type="button" aria-pressed={range.kind === 'live'} onClick={() => onChange(firstRange)}>
          Live
        </button>
      </div>
      <p class="muted number">{rangeText(range)}</p>
    </fieldset>
  );
}

function rangeText(range: TimeRange): string {
  if (range.kind === 'live') return `The last ${formatDuration(range.spanMs)}, live`;
  const { fromMs, toMs } = boundsOf(range, now.value);
  return `${formatLocal(fromMs)} to ${formatLocal(toMs)} (${formatDuration(toMs - fromMs)})`;
}
