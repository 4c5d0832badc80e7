import { useState } from 'preact/hooks';

export interface Paging {
  /** Of the page that is shown; empty for the first. */
  readonly cursor: string;
  readonly number: number;
  forward(next: string): void;
  back(): void;
  reset(): void;
}

/** Cursors only lead forward: the way back is what was gone. */
export function usePaging(): Paging {
  const [trail, setTrail] = useState<readonly string[]>([]);
  return {
    cursor: trail.at(-1) ?? '',
    number: trail.length + 1,
    forward: (next) => setTrail([...trail, next]),
    back: () => setTrail(trail.slice(0, -1)),
    reset: () => setTrail([]),
  };
}

export function Pager({
  paging,
  next,
}: {
  readonly paging: Paging;
  readonly next: string | null | undefined;
}) {
  if (paging.number === 1 && (next === null || next === undefined)) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" disabled={paging.number === 1} onClick={() => paging.back()}>
        Previous
      </button>
      <span>Page {paging.number}</span>
      <button
        type="button"
        disabled={next === null || next === undefined}
        onClick={() => typeof next === 'string' && paging.forward(next)}
      >
        Next
      </button>
    </nav>
  );
}
