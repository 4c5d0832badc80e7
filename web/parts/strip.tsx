import { formatLocal } from '../lib/format.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly tone: 'good' | 'warn' | 'bad' | 'quiet';
  readonly label: string;
}

export interface StripProps {
  readonly fromMs: number;
  readonly toMs: number;
  readonly spans: readonly Span[];
  /** Where no span lies. */
  readonly base: 'good' | 'quiet';
  readonly label: string;
}

const width = 1_000;
const height = 18;
const least = 4;

/** At least wide enough to be seen, and within the picture. */
function extentOf(from: number, to: number): { readonly x: number; readonly width: number } {
  const wide = Math.max(least, to - from);
  return { x: Math.min(from, width - wide), width: wide };
}

/** A time line with marked spans; what is too short to be seen is drawn a little longer. */
export function Strip({ fromMs, toMs, spans, base, label }: StripProps) {
  const at = (ms: number) =>
    ((Math.min(Math.max(ms, fromMs), toMs) - fromMs) / Math.max(1, toMs - fromMs)) * width;
  return (
    <figure class="strip">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <rect class={base} width={width} height={height} />
        {spans.map((span) => (
          <rect
            key={`${span.fromMs} ${span.label}`}
            class={span.tone}
            {...extentOf(at(span.fromMs), at(span.toMs))}
            height={height}
          >
            <title>{`${span.label}, ${formatLocal(span.fromMs)} to ${formatLocal(span.toMs)}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption class="muted number">
        <span>{formatLocal(fromMs)}</span>
        <span>{formatLocal(toMs)}</span>
      </figcaption>
    </figure>
  );
}
