import {
  type FlowPoint,
  type OverviewFeed,
  type OverviewSample,
  pointOfSample,
} from '../../../console/installation-service.ts';

export interface SharedFeedOptions {
  /** Begins to look; each sample is told. @returns what ends it */
  readonly open: (tell: (sample: OverviewSample) => void) => () => void;
  /** How long it goes on looking when nobody listens any more: a page that is loaded again finds it running. */
  readonly lingerMs: number;
  /** What was before it began to look. */
  readonly past: () => readonly FlowPoint[];
}

const keptPoints = 300;

/** One look at the installation for all who listen, and none while nobody does. */
export function createSharedFeed({
  open,
  lingerMs,
  past,
}: SharedFeedOptions): OverviewFeed & { close(): void } {
  const listeners = new Set<(sample: OverviewSample) => void>();
  let latest: OverviewSample | undefined;
  let recent: FlowPoint[] = [];
  let end: (() => void) | undefined;
  let lingering: Timer | undefined;
  const close = () => {
    clearTimeout(lingering);
    end?.();
    end = undefined;
    latest = undefined;
    recent = [];
  };
  return {
    history() {
      const firstMs = recent[0]?.timeMs ?? Number.POSITIVE_INFINITY;
      return [...past().filter(({ timeMs }) => timeMs < firstMs), ...recent];
    },
    subscribe(listener) {
      clearTimeout(lingering);
      listeners.add(listener);
      if (latest !== undefined) listener(latest);
      end ??= open((sample) => {
        latest = sample;
        recent = [...recent.slice(1 - keptPoints), pointOfSample(sample)];
        for (const each of listeners) each(sample);
      });
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) lingering = setTimeout(close, lingerMs);
      };
    },
    close,
  };
}
