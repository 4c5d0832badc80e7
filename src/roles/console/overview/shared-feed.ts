import type { OverviewFeed, OverviewSample } from '../../../console/installation-service.ts';

export interface SharedFeedOptions {
  /** Begins to look; each sample is told. @returns what ends it */
  readonly open: (tell: (sample: OverviewSample) => void) => () => void;
  /** How long it goes on looking when nobody listens any more: a page that is loaded again finds it running. */
  readonly lingerMs: number;
}

/** One look at the installation for all who listen, and none while nobody does. */
export function createSharedFeed({ open, lingerMs }: SharedFeedOptions): OverviewFeed & { close(): void } {
  const listeners = new Set<(sample: OverviewSample) => void>();
  let latest: OverviewSample | undefined;
  let end: (() => void) | undefined;
  let lingering: Timer | undefined;
  const close = () => {
    clearTimeout(lingering);
    end?.();
    end = undefined;
    latest = undefined;
  };
  return {
    subscribe(listener) {
      clearTimeout(lingering);
      listeners.add(listener);
      if (latest !== undefined) listener(latest);
      end ??= open((sample) => {
        latest = sample;
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
