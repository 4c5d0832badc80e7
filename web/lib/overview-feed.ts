import { useEffect, useState } from 'preact/hooks';
import { apiPath } from './api.ts';
import { type FeedState, useFeed } from './events.ts';
import type { Flow } from './flow-points.ts';
import type { FlowPoint, OverviewHistory, OverviewSample } from './types.ts';

const keptSamples = 301;

export interface OverviewFeed extends Flow {
  readonly state: FeedState;
  /** Nothing came for some seconds. */
  readonly isStale: boolean;
}

const staleAfterMs = 5_000;

/** The last five minutes of how much flows, of one tenant or of all. */
export function useOverviewFeed(tenant: string | undefined): OverviewFeed {
  const [samples, setSamples] = useState<readonly OverviewSample[]>([]);
  const [past, setPast] = useState<readonly FlowPoint[]>([]);
  const [state, setState] = useState<FeedState>('connecting');
  const [isStale, setStale] = useState(false);
  useFeed(
    tenant === undefined ? '/overview/live' : `${apiPath('tenants', tenant)}/overview/live`,
    {},
    {
      on: {
        // Told whenever the feed begins, so that what was missed while it was lost comes with it.
        history: (data) => {
          setPast((data as OverviewHistory).points.map(toPoint));
        },
        overview: (data) => {
          setStale(false);
          setSamples((before) => append(before, data as OverviewSample));
        },
      },
      onState: setState,
    },
  );
  const latest = samples.at(-1)?.time;
  // Each new sample starts the wait anew.
  useEffect(() => {
    if (latest === undefined) return;
    const timer = setTimeout(() => setStale(true), staleAfterMs);
    return () => clearTimeout(timer);
  }, [latest]);
  return { samples, past, state, isStale };
}

const toPoint = ({
  time,
  in_per_second,
  settled_per_second,
}: OverviewHistory['points'][number]): FlowPoint => ({
  timeMs: Date.parse(time),
  in: in_per_second,
  settled: settled_per_second,
});

/** A feed that comes back may begin with what is known already. */
function append(samples: readonly OverviewSample[], sample: OverviewSample): readonly OverviewSample[] {
  const last = samples.at(-1);
  if (last !== undefined && Date.parse(sample.time) <= Date.parse(last.time)) return samples;
  return [...samples.slice(1 - keptSamples), sample];
}
